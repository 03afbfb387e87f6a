"""The product's own adapters carry a conversation through the simulator, also from one provider to the other."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from surefoot.contracts.conversation import ConversationMessage, ToolMessage, UserMessage
from surefoot.contracts.models import Generation, Prompt, provider_of
from surefoot.errors import Fault, ProviderFailure
from surefoot.llm.providers import Providers, providers
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.simulator.stage import ADA, TEAPOT, offers

GEMINI = "gemini:gemini-2.5-flash"
GEMINI_3 = "gemini:gemini-3-flash-preview"
MISTRAL = "mistral:mistral-medium-2508"
REQUEST = "My order A-1001 arrived broken, I want my money back. ada@example.com"
RESULTS = {"look_up_customer": ADA, "look_up_order": TEAPOT, "issue_refund": '{"id": "RF-4001", "amount": "49.90"}'}


@pytest.fixture
async def ports(settings: Settings) -> AsyncIterator[Providers]:
    found = providers(settings)
    yield found
    await found.aclose()


async def ignore(text: str) -> None:
    """Nobody listens."""


async def generate(ports: Providers, model: str, messages: list[ConversationMessage]) -> Generation:
    prompt = Prompt(model=model, system="Be kind.", messages=tuple(messages), tools=offers(*RESULTS))
    return await ports[provider_of(model)].generate(prompt, on_text=ignore, idle_limit=timedelta(seconds=5))


@pytest.mark.parametrize(
    "models",
    [
        (GEMINI, GEMINI, GEMINI),
        (GEMINI_3, GEMINI_3, GEMINI_3),
        (MISTRAL, MISTRAL, MISTRAL),
        (GEMINI, MISTRAL, GEMINI),
        (MISTRAL, GEMINI_3, MISTRAL),
    ],
)
async def test_a_refund_is_talked_through(
    ports: Providers, simulator: SimulatorClient, models: tuple[str, str, str]
) -> None:
    messages: list[ConversationMessage] = [UserMessage(text=REQUEST)]
    asked, spent = [], []
    for model in models:
        generation = await generate(ports, model, messages)
        messages.append(generation.message)
        asked.append([call.tool for call in generation.message.calls])
        spent.append((generation.usage.input_tokens, generation.usage.output_tokens))
        messages += [
            ToolMessage(call_id=call.id, tool=call.tool, content=RESULTS[call.tool])
            for call in generation.message.calls
        ]
    assert asked == [["look_up_customer", "look_up_order"], ["issue_refund"], []]
    assert "refunded 49.90 EUR" in generation.message.text
    served = [call.usage for call in await simulator.calls() if call.usage]
    assert [(usage.input_tokens, usage.output_tokens) for usage in served] == spent


@pytest.mark.parametrize("model", [GEMINI, MISTRAL])
async def test_a_model_with_a_small_context_refuses_a_longer_prompt(
    ports: Providers, simulator: SimulatorClient, model: str
) -> None:
    await simulator.fault(provider_of(model), "context", tokens=300)
    short = await generate(ports, model, [UserMessage(text="Hello.")])
    with pytest.raises(ProviderFailure) as refused:
        await generate(ports, model, [UserMessage(text="Hello. " * 400)])
    assert short.usage.input_tokens < 300
    assert (refused.value.fault, refused.value.context_tokens) == (Fault.PERMANENT, 300)
