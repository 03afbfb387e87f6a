"""The scripted model as a port, without HTTP."""

from datetime import timedelta

import pytest

from surefoot.contracts.conversation import TextPart, ThinkingPart
from surefoot.contracts.models import Generation, Prompt
from surefoot.errors import Fault, ProviderFailure
from surefoot.ports import ModelPort
from surefoot.simulator.model_port import ScriptedModel
from tests.simulator.stage import prompt_of

MODEL: ModelPort = ScriptedModel()


async def generate(prompt: Prompt) -> tuple[Generation, list[str]]:
    heard: list[str] = []

    async def on_text(text: str) -> None:
        heard.append(text)

    return await MODEL.generate(prompt, on_text=on_text, idle_limit=timedelta(seconds=1)), heard


async def test_it_streams_what_it_says() -> None:
    generation, heard = await generate(prompt_of("[[think]] report of 80 words on tea"))
    thoughts, words = generation.message.parts
    assert isinstance(thoughts, ThinkingPart)
    assert isinstance(words, TextPart)
    assert "".join(heard) == words.text
    assert len(heard) > 1
    assert (generation.model_version, generation.message.provider) == ("one", "scripted")
    assert generation.usage.thinking_tokens > 0


async def test_it_calls_tools() -> None:
    generation, heard = await generate(prompt_of("[[call search {}]]"))
    assert [call.tool for call in generation.message.calls] == ["search"]
    assert heard == []


async def test_a_blocked_answer_is_a_permanent_failure() -> None:
    with pytest.raises(ProviderFailure, match="safety") as failure:
        await generate(prompt_of("[[block]]"))
    assert failure.value.fault is Fault.PERMANENT
