"""A wire, and a model at its end."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from surefoot.contracts.conversation import ConversationMessage, UserMessage
from surefoot.contracts.models import Generation, Prompt, ToolOffer
from surefoot.llm.gemini import GeminiModel
from surefoot.llm.mistral import MistralModel
from tests.llm.wire import Wire
from tests.llm.wire import wire as served

KEY = "AIzaSyTheKeyThatNobodyMaySee"


class Caller:
    """Calls one provider's model as the activity does, and keeps the words that were streamed."""

    def __init__(self, port: GeminiModel | MistralModel, model: str) -> None:
        self.port = port
        self.model = model
        self.words: list[str] = []

    async def __call__(
        self,
        *messages: ConversationMessage,
        system: str = "",
        tools: tuple[ToolOffer, ...] = (),
        model: str | None = None,
        temperature: float | None = None,
        idle_limit: timedelta = timedelta(seconds=20),
    ) -> Generation:
        prompt = Prompt(
            model=model or self.model,
            system=system,
            messages=messages or (UserMessage(text="Hello"),),
            tools=tools,
            temperature=temperature,
            max_output_tokens=77,
        )
        self.words.clear()
        return await self.port.generate(prompt, on_text=self._heard, idle_limit=idle_limit)

    async def _heard(self, words: str) -> None:
        self.words.append(words)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with served() as end:
        yield end


@pytest.fixture
async def gemini(wire: Wire) -> AsyncIterator[Caller]:
    port = GeminiModel(KEY, wire.url)
    yield Caller(port, "gemini:gemini-2.5-flash")
    await port.aclose()


@pytest.fixture
async def mistral(wire: Wire) -> AsyncIterator[Caller]:
    port = MistralModel(KEY, wire.url)
    yield Caller(port, "mistral:mistral-medium-2508")
    await port.aclose()


@pytest.fixture(params=["gemini", "mistral"])
def either(request: pytest.FixtureRequest, gemini: Caller, mistral: Caller) -> Caller:
    """One provider after the other."""
    return gemini if request.param == "gemini" else mistral
