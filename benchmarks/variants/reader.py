"""The model and the tool of Surefoot's variants, in the worker's own process."""

import asyncio
from datetime import timedelta
from typing import Annotated

from pydantic import Field, JsonValue

from benchmarks.workloads import ANSWER, TOOL, named, page
from surefoot.contracts.conversation import AssistantMessage, CallPart, Part, TextPart, UserMessage
from surefoot.contracts.models import Generation, Prompt, Usage, name_of
from surefoot.contracts.tools import Effect
from surefoot.ports import OnText, ToolContext
from surefoot.tools.contract import Arguments, tool
from surefoot.tools.http import Backend

PROVIDER = "scripted"
USAGE = Usage(input_tokens=1_000, output_tokens=100)


class Reader:
    """A ``ModelPort`` that answers by the workload that the conversation began with and the turn it is at."""

    def __init__(self, think: timedelta = timedelta(0)) -> None:
        """``think`` is how long an answer takes."""
        self._think = think.total_seconds()

    async def generate(self, prompt: Prompt, *, on_text: OnText, idle_limit: timedelta) -> Generation:
        if self._think:
            await asyncio.sleep(self._think)
        parts = _parts(prompt)
        for part in parts:
            if isinstance(part, TextPart):
                await on_text(part.text)
        return Generation(
            message=AssistantMessage(provider=PROVIDER, parts=parts), usage=USAGE, model_version=name_of(prompt.model)
        )


def _parts(prompt: Prompt) -> tuple[Part, ...]:
    asked = next(message for message in prompt.messages if isinstance(message, UserMessage))
    workload = named(asked.text)
    turn = sum(isinstance(message, AssistantMessage) for message in prompt.messages)
    calls = tuple(
        CallPart(id=f"call{number:05d}", tool=TOOL, arguments={"page": number, "size": workload.size})
        for number in workload.pages(turn)
    )
    return calls or (TextPart(text=ANSWER),)


class ReadPage(Arguments):
    page: Annotated[int, Field(description="From 1 on.", ge=1)]
    size: Annotated[int, Field(description="Bytes.", ge=1)]


@tool(backend="search_url", effect=Effect.KEYED)
async def read_page(arguments: ReadPage, context: ToolContext, backend: Backend) -> JsonValue:
    """Read one page. It is keyed, so that every call goes through the ledger."""
    return page(arguments.page, arguments.size)
