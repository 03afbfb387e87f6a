"""Results that are too long for a model: it gets the first page, the whole is kept out of line."""

from typing import Protocol

from surefoot.contracts.tools import Effect, ToolCall, ToolContract, ToolResult
from surefoot.errors import StoreUnavailable
from surefoot.pages import as_text, first_alone, is_long, page
from surefoot.ports import Blobs, kept_result

NAME = 24
"""Characters of the effect key, which is a digest, that name a result."""


class Scissors(Protocol):
    """What becomes of a result before it enters the history."""

    async def cut(self, call: ToolCall, result: ToolResult) -> ToolResult: ...


class Uncut:
    """Leaves every result as it is."""

    async def cut(self, call: ToolCall, result: ToolResult) -> ToolResult:
        return result


class Cutting:
    """Cuts what is longer than a page; ``read_on`` is the tool that reads further pages."""

    def __init__(self, blobs: Blobs, read_on: ToolContract) -> None:
        self._blobs = blobs
        self._read_on = read_on

    async def cut(self, call: ToolCall, result: ToolResult) -> ToolResult:
        """The result with its first page and the tool for the rest, or without it while Redis is away."""
        text, name = as_text(result.content), call.effect_key[:NAME]
        if not is_long(text):
            return result
        if not result.unsettled and await self._kept(call, name, text):
            return result.model_copy(update={"content": page(text, 1, name), "offers": (self._read_on,)})
        alone = first_alone(text, has_effect=call.contract.effect is not Effect.READ)
        booked = [booking.model_copy(update={"content": alone}) for booking in result.unsettled]
        return result.model_copy(update={"content": alone, "unsettled": tuple(booked)})

    async def _kept(self, call: ToolCall, name: str, text: str) -> bool:
        try:
            return await self._blobs.put(kept_result(call.tenant, name), text.encode())
        except StoreUnavailable:
            return False  # the note says so
