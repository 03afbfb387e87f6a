"""Waiting for what a server tells with a delay."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
    """Temporal's lists follow what happens with a delay."""
    for _ in range(100):
        if await look():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{look} stayed false for 10 s")
