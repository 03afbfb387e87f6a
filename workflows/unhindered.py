"""What must be seen through, whoever cancels it meanwhile, and what is called off when it is not needed any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

T = TypeVar("T")


async def unhindered(work: Coroutine[Any, Any, T]) -> T:
    """Await the work to its end. A cancellation that comes meanwhile is not raised here: see ``Run.heed_end``."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        return await task


async def called_off(work: asyncio.Task[None]) -> None:
    """End the work. Raises what had gone wrong in it, which is not its cancellation."""
    work.cancel()
    await workflow.wait_condition(work.done)
    if not work.cancelled() and (error := work.exception()) and not is_cancelled_exception(error):
        raise error
