"""Waiting for what another process does."""

import asyncio
from collections.abc import Awaitable, Callable

LOOKS = 500


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Return when the condition holds; fail after ten seconds."""
    for _ in range(LOOKS):
        if await condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came true")
