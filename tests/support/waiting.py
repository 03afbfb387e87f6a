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


GIVEN_UP = timedelta(seconds=45)
"""A poll that misses its news rests with Temporal's server for 20 s, and is then answered."""


async def until(ask: Callable[[], Awaitable[T]], *, within: timedelta = GIVEN_UP) -> T:
    """Ask again and again until the answer is truthy, and return it. Raises ``TimeoutError`` if it never is."""
    async with asyncio.timeout(within.total_seconds()):
        while not (answer := await ask()):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.05)
        return answer
