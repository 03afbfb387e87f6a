"""A call to the outside: run to its end, timed, and stopped when it has lost its right to go on."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from temporalio import activity

from surefoot.contracts.tools import Claim
from surefoot.errors import StoreUnavailable
from surefoot.ports import Guards

T = TypeVar("T")

SOON = 8
"""Renewals that are tried in each lease while the store is away."""


@dataclass(frozen=True)
class Ended(Generic[T]):
    """How a call ended. An exception that nobody foresaw is an end like any other."""

    task: asyncio.Task[T]
    took: timedelta
    lost: bool
    """It was stopped, since it had no right to go on."""

    @property
    def error(self) -> BaseException | None:
        return asyncio.CancelledError() if self.task.cancelled() else self.task.exception()

    @property
    def result(self) -> T:
        return self.task.result()


async def ended(call: Coroutine[Any, Any, T], right: Coroutine[Any, Any, None] | None = None) -> Ended[T]:
    """Wait for the end of the call, or of the right to make it: then the call is stopped.

    A cancellation stops the call too, and is raised once it has stopped.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    working = loop.create_task(call)
    keeping = loop.create_task(right) if right else None
    tasks: list[asyncio.Task[Any]] = [working, keeping] if keeping else [working]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        took, lost = timedelta(seconds=loop.time() - began), not working.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    if keeping and lost:
        keeping.result()  # raises what ended it, if it did not end by itself
    return Ended(working, took, lost)


async def held(guards: Guards, claim: Claim, lease: timedelta) -> None:
    """Renew a claim at half of its lease, again and again; returns when it is the caller's no more."""
    pause = lease / 2
    while True:
        await asyncio.sleep(pause.total_seconds())
        try:
            if not await guards.renew(claim, lease):
                return
            pause = lease / 2
        except StoreUnavailable as error:
            activity.logger.warning("A claim was not renewed: %s", error)
            pause = lease / SOON
