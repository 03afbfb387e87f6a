"""Keeps an activity known to be alive while it works, whether or not anything comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity

DEFAULT = timedelta(seconds=5)
SHARE = 3
"""Heartbeats for each heartbeat timeout: two may be lost."""


class Pulse:
    """Heartbeats that carry a count on to the activity's next attempt."""

    def __init__(self) -> None:
        details = activity.info().heartbeat_details
        self.last = int(details[0]) if details else 0

    def beat(self, count: int | None = None) -> None:
        self.last = self.last if count is None else count
        activity.heartbeat(self.last)

    async def keep_beating(self, pause: timedelta) -> None:
        while True:
            self.beat()
            await asyncio.sleep(pause.total_seconds())


@asynccontextmanager
async def beating() -> AsyncIterator[Pulse]:
    """Heartbeat in the background until the block ends; a worker that dies is noticed within the timeout."""
    pulse = Pulse()
    task = asyncio.create_task(pulse.keep_beating((activity.info().heartbeat_timeout or DEFAULT) / SHARE))
    try:
        yield pulse
    finally:
        task.cancel()
