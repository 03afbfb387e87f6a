"""The settings decide which providers can be called."""

import pytest

from surefoot.contracts.conversation import UserMessage
from surefoot.errors import InvalidInput
from surefoot.llm.gemini import GeminiModel
from surefoot.llm.mistral import MistralModel
from surefoot.llm.providers import Providers, providers
from surefoot.settings import load
from tests.llm.answers import last
from tests.llm.conftest import Caller
from tests.llm.wire import Wire


def configured(**given: str) -> Providers:
    return providers(load(REDIS_URL="redis://127.0.0.1:1", SUREFOOT_STATE_DIR="/nowhere", _env_file=None, **given))


@pytest.mark.parametrize(
    ("provider", "missing"), [("gemini", "GEMINI_API_KEY"), ("mistral", "MISTRAL_API_KEY"), ("openai", "'openai'")]
)
def test_a_provider_that_is_not_set_up_is_refused_with_what_is_missing(provider: str, missing: str) -> None:
    with pytest.raises(InvalidInput, match=missing):
        configured()[provider]


def test_a_key_is_enough() -> None:
    ports = configured(GEMINI_API_KEY="g", MISTRAL_API_KEY="m")
    assert isinstance(ports["gemini"], GeminiModel)
    assert isinstance(ports["mistral"], MistralModel)


async def test_an_address_without_a_key_is_called_with_the_simulator_s(wire: Wire) -> None:
    ports = configured(GEMINI_API_URL=wire.url, MISTRAL_API_URL=wire.url)
    for provider, model in (("gemini", "gemini:gemini-2.5-pro"), ("mistral", "mistral:mistral-medium-2508")):
        port = ports[provider]
        assert isinstance(port, GeminiModel | MistralModel)
        caller = Caller(port, model)
        wire.forget()
        wire.answer_events(last(caller, "Yes."))
        assert (await caller(UserMessage(text="Well?"))).message.text == "Yes."
    await ports.aclose()
    to_gemini, to_mistral = wire.requests
    assert to_gemini.headers["x-goog-api-key"] == "simulator"
    assert to_gemini.path == "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
    assert to_mistral.headers["authorization"] == "Bearer simulator"
    assert to_mistral.path == "/v1/chat/completions"


async def test_addresses_may_have_a_path(wire: Wire) -> None:
    ports = configured(GEMINI_API_URL=f"{wire.url}/worlds/w", MISTRAL_API_URL=f"{wire.url}/worlds/w/")
    for provider, model in (("gemini", "gemini:gemini-2.5-pro"), ("mistral", "mistral:mistral-medium-2508")):
        port = ports[provider]
        assert isinstance(port, GeminiModel | MistralModel)
        wire.forget()
        wire.answer_events(last(Caller(port, model), "Yes."))
        await Caller(port, model)()
    await ports.aclose()
    assert [request.path.partition("?")[0] for request in wire.requests] == [
        "/worlds/w/v1beta/models/gemini-2.5-pro:streamGenerateContent",
        "/worlds/w/v1/chat/completions",
    ]


async def test_ports_of_one_s_own_stand_beside_the_real_ones() -> None:
    own = GeminiModel("key")
    ports = providers(
        load(REDIS_URL="redis://127.0.0.1:1", SUREFOOT_STATE_DIR="/nowhere", _env_file=None), scripted=own
    )
    assert ports["scripted"] is own
    await ports.aclose()
