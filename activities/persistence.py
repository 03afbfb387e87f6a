"""Keeps what happened outside from being lost while the store is away."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from surefoot.errors import StoreUnavailable

T = TypeVar("T")

PATIENCE = timedelta(seconds=2)
"""Design section 3: afterwards the result goes back to the workflow with what is still unsettled."""
PAUSE = timedelta(milliseconds=100)


async def persisted(write: Callable[[], Awaitable[T]]) -> T | None:
    """Repeat a write that answers the same when repeated, for ``PATIENCE``; None if the store stayed away.

    A cancellation that comes meanwhile is too late: what happened is recorded, and the caller goes on to tell it.
    """
    writing = asyncio.create_task(_repeated(write))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        return await writing


async def _repeated(write: Callable[[], Awaitable[T]]) -> T | None:
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE.total_seconds()
    while True:
        try:
            return await write()
        except StoreUnavailable:
            if loop.time() >= until:
                return None
            await asyncio.sleep(PAUSE.total_seconds())
