"""Waiting for what will be so soon."""

import asyncio
from collections.abc import Callable
from datetime import timedelta


async def eventually(condition: Callable[[], bool], *, within: timedelta = timedelta(seconds=10)) -> None:
    """Wait until the condition holds. Raises ``TimeoutError`` if it does not in time."""
    async with asyncio.timeout(within.total_seconds()):
        while not condition():  # noqa: ASYNC110  # other processes make it so, and nothing tells
            await asyncio.sleep(0.02)
