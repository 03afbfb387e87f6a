"""What a run begins and must see through, whoever cancels it meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unhindered(work: Coroutine[Any, Any, T]) -> T:
    """Await the work to its end. A cancellation that comes meanwhile is not raised here: see ``Run.heed_end``."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        return await task
