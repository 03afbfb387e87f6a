"""The drills: a game day for each kind of incident, played for real on a stack of its own."""

import asyncio
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from surefoot.contracts.incidents import IncidentKind
from surefoot.drill.crews import fields
from surefoot.drill.play import Say, play
from surefoot.drill.score import Score
from surefoot.drill.story import Story
from surefoot.embedded.stack import Stack
from surefoot.embedded.up import until_told_to_end
from surefoot.rehearsal import PATIENCE, connect

Tell = Callable[[Sequence[Score], Path], None]
AT_ONCE = 3
"""Drills at a time: more would measure how crowded the machine is."""


def drill(
    stories: Mapping[IncidentKind, Story], *, say: Say, tell: Tell, keep: bool = False, patience: timedelta = PATIENCE
) -> list[Score] | None:
    """Play these stories, some at a time; ``say`` hears each step, ``tell`` the scores and the folder of the stack.

    A step that takes longer than ``patience`` has failed. Returns the scores, or None when it was interrupted before
    there were any. Raises ``ChildDied`` if a process of the stack ends that nobody asked to.
    """
    scores: list[Score] = []

    async def done(stack: Stack) -> None:
        scores.extend(await _played(stack, stories, say, patience))
        tell(scores, stack.folder)
        if keep:
            await asyncio.Event().wait()

    async def whole() -> None:
        with tempfile.TemporaryDirectory(prefix="surefoot-drill-") as folder:
            stack = Stack(Path(folder), given={}, in_memory=True)
            say("starting Temporal, Redis, a simulated shop with its models and pagers, and workers")
            await until_told_to_end(_on(stack, done), again=stack.kill)

    asyncio.run(whole())
    return scores or None


async def _on(stack: Stack, work: Callable[[Stack], Awaitable[None]]) -> None:
    """Do the work while the stack runs; raises ``ChildDied`` if a process of it ends too soon."""
    async with stack:
        working = asyncio.ensure_future(work(stack))
        death = asyncio.create_task(stack.watch())
        try:
            await asyncio.wait({working, death}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise death.result()
            working.result()
        finally:
            await _ended(working)
            await _ended(death)


async def _ended(task: "asyncio.Future[Any]") -> None:
    """A story that is cut off puts right what it has broken."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait({task})


async def _played(stack: Stack, stories: Mapping[IncidentKind, Story], say: Say, patience: timedelta) -> list[Score]:
    temporal = await connect(stack.settings())
    found = await fields(stack, temporal, stories, uuid.uuid4().hex[:6], patience)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(kind: IncidentKind) -> Score:
        async with places:
            return await play(kind, stories[kind], found[kind], say)

    try:
        return list(await asyncio.gather(*map(one, stories)))
    finally:
        for shop in {field.shop for field in found.values()}:
            await shop.aclose()
