"""Waiting for what will be so soon."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")


async def eventually(condition: Callable[[], bool], *, within: timedelta = timedelta(seconds=10)) -> None:
    """Wait until the condition holds. Raises ``TimeoutError`` if it does not in time."""
    async with asyncio.timeout(within.total_seconds()):
        while not condition():  # noqa: ASYNC110  # other processes make it so, and nothing tells
            await asyncio.sleep(0.02)


async def until(ask: Callable[[], Awaitable[T]], *, within: timedelta = timedelta(seconds=20)) -> T:
    """Ask again and again until the answer is truthy, and return it. Raises ``TimeoutError`` if it never is."""
    async with asyncio.timeout(within.total_seconds()):
        while not (answer := await ask()):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.05)
        return answer
