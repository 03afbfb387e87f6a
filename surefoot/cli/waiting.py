"""Waiting for a run's end, and watching it meanwhile."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from surefoot.attributes import APPROVAL
from surefoot.cli.watching import Watcher, watcher
from surefoot.client import SurefootClient
from surefoot.contracts.approvals import ApprovalRequest
from surefoot.contracts.runs import RunProgress, RunResult
from surefoot.errors import StoreUnavailable, Unreachable
from surefoot.reliability.opening import opened_store
from surefoot.reliability.streams import RedisTextStream
from surefoot.settings import Settings

FOLLOW_EVERY = timedelta(milliseconds=250)
GLANCE_EVERY = timedelta(seconds=1)
"""How often a run that nobody follows is looked at, for a question that it may have."""
SILENCE = 2
"""Looks after which a worker is asked as well, so that whoever waits learns that there is none."""
CLOCKS = timedelta(seconds=2)
"""Temporal's and Redis's clocks may differ by this much."""


@dataclass(frozen=True)
class Open:
    """The questions of a run that waits for a human."""

    run: str
    requests: tuple[ApprovalRequest, ...]


Look = Callable[[], Coroutine[None, None, Open]]


async def wait(
    client: SurefootClient, settings: Settings, run: str, *, follow: bool, stop_at_approval: bool
) -> RunResult | Open:
    """The run's result, or with ``stop_at_approval`` what it asks of a human.

    Raises what ``SurefootClient.result`` does. With ``follow`` what happens is shown on standard error, without it
    only the questions are.
    """
    with watcher(follow=follow) as view:
        watch = _Watch(client, run, view, stop_at_approval)
        listen = partial(_listen, client, settings, run, view)
        following: Sequence[Look] = (watch.follow, watch.retries, listen)
        looks = following if follow else (watch.glance,)
        found = await _first(client.result(run), *(look() for look in looks))
        if follow and isinstance(found, RunResult):
            await watch.look()
        return found


async def _first(*ways: Coroutine[None, None, RunResult | Open]) -> RunResult | Open:
    """What the first of them to end returns or raises; the others are cancelled."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True)
class _Watch:
    client: SurefootClient
    run: str
    view: Watcher
    stop_at_approval: bool

    async def follow(self) -> Open:
        """Show what the run does, until it has a question and that is an end."""
        while True:
            progress = await self.look()
            if self.stop_at_approval and progress and progress.approvals:
                return Open(self.run, progress.approvals)
            await asyncio.sleep(FOLLOW_EVERY.total_seconds())

    async def glance(self) -> Open:
        """The same, but look for questions and troubles only, which a worker has to be asked for rarely."""
        numbers = itertools.count(1)
        while True:
            seen = await self.client.describe(self.run)
            self.view.retry(seen.retrying)
            if next(numbers) % SILENCE == 0 or seen.waiting == APPROVAL:
                progress = await self.look()
                if self.stop_at_approval and progress and progress.approvals:
                    return Open(self.run, progress.approvals)
            await asyncio.sleep(GLANCE_EVERY.total_seconds())

    async def retries(self) -> Open:
        """Show what the run does once more; never ends."""
        while True:
            try:
                self.view.retry((await self.client.describe(self.run)).retrying)
            except Unreachable as error:
                self.view.miss(str(error))
            await asyncio.sleep(GLANCE_EVERY.total_seconds())

    async def look(self) -> RunProgress | None:
        """None while no worker answers: the run waits as well."""
        try:
            progress = await self.client.progress(self.run)
        except Unreachable as error:
            self.view.miss(str(error))
            return None
        self.view.show(progress)
        if not self.stop_at_approval:
            self.view.ask(self.run, progress.approvals)
        return progress


async def _listen(client: SurefootClient, settings: Settings, run: str, view: Watcher) -> Open:
    """Pass the model's words on as they come; never ends. Without Redis there are none, which is no failure."""
    started = (await client.describe(run)).started_at - CLOCKS
    try:
        async with opened_store(settings) as store:
            words = RedisTextStream(store, settings.key_prefix)
            async for piece in words.follow(run, after=str(int(started.timestamp() * 1000))):
                view.hear(piece.turn, piece.text)
    except StoreUnavailable as error:
        view.miss(f"the model's words cannot be followed: {error}")
    return await asyncio.Future()
