"""Keeps an activity known to be alive while it works, whether or not anything comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeAlias

from temporalio import activity
from temporalio.client import AsyncActivityCancelledError
from temporalio.service import RPCError

from surefoot.contracts.base import JsonObject
from surefoot.errors import Unreachable

DEFAULT = timedelta(seconds=5)
SHARE = 3
"""Heartbeats for each heartbeat timeout: two may be lost."""
TO_BE_TOLD = timedelta(seconds=2)
"""For Temporal's answer to a heartbeat that is waited for."""

Tell: TypeAlias = Callable[[int, bool], Awaitable[None]]
"""Makes Temporal know a heartbeat before it returns; raises ``Unreachable`` if it may not know it."""


async def told_at_once(count: int, sending: bool) -> None:
    """Heartbeat past the SDK, which holds one back for up to 0.8 of the timeout after the one before it.

    Raises ``Unreachable`` if Temporal did not take it: it is away, or has given this attempt up.
    """
    activity.heartbeat(count, sending)  # replaces what the SDK holds back, or that would arrive afterwards
    handle = activity.client().get_async_activity_handle(task_token=activity.info().task_token)
    try:
        await handle.heartbeat(count, sending, rpc_timeout=TO_BE_TOLD)
    except (RPCError, AsyncActivityCancelledError) as error:
        raise Unreachable(f"Temporal did not take a heartbeat ({str(error) or type(error).__name__})") from error


class Pulse:
    """Heartbeats that carry on to the activity's next attempt a count, news, and whether a request was leaving.

    That a request is about to leave is said before it does and never taken back, so an attempt that finds it said
    knows that one may have left; and one that does not find it said, that none has.
    """

    def __init__(self, tell: Tell = told_at_once) -> None:
        details = activity.info().heartbeat_details
        self.last = int(details[0]) if details else 0
        self.was_sending = len(details) > 1 and bool(details[1])
        self._sending = self.was_sending
        self.carried: JsonObject | None = details[2] if len(details) > 2 else None
        self._tell = tell

    def beat(self, count: int | None = None) -> None:
        self.last = self.last if count is None else count
        activity.heartbeat(self.last, self._sending, self.carried)

    def carry(self, news: JsonObject) -> None:
        """Hand something on to the next attempt, in place of what was handed on before."""
        self.carried = news
        self.beat()

    async def about_to_send(self) -> None:
        """Returns once Temporal knows; raises ``Unreachable`` if it may not."""
        self._sending = True
        await self._tell(self.last, True)

    async def keep_beating(self, pause: timedelta) -> None:
        """The first pause keeps an early heartbeat from overtaking the one that a request is about to leave."""
        while True:
            await asyncio.sleep(pause.total_seconds())
            self.beat()


@asynccontextmanager
async def beating(tell: Tell = told_at_once) -> AsyncIterator[Pulse]:
    """Heartbeat in the background until the block ends; a worker that dies is noticed within the timeout."""
    pulse = Pulse(tell)
    task = asyncio.create_task(pulse.keep_beating((activity.info().heartbeat_timeout or DEFAULT) / SHARE))
    try:
        yield pulse
    finally:
        task.cancel()
