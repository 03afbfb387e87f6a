"""A worker that is frozen for longer than everything that it had a right to, and goes on as if nothing had been."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from surefoot.crash_points import CrashPoint
from surefoot.embedded.processes import Child
from tests.chaos.plan import tag
from tests.crashes.scene import Scene
from tests.crashes.test_crashes import DEATH, PROMPTS
from tests.support.waiting import eventually

REFUND, *_, MAIL = PROMPTS
SESSIONS = ("support-0", "operations-1")


def frozen(worker: Child) -> bool:
    return Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@asynccontextmanager
async def zombie(scene: Scene, point: CrashPoint, kind: tuple[str, str], queue: str) -> AsyncIterator[None]:
    """A worker that freezes at the point; after the block it goes on, finishes what it had begun, and ends."""
    profile, prompt = kind
    async with scene.doomed(f"{point}:freeze", queue) as worker:
        await scene.start((profile, prompt.replace("%s", tag(len(scene.log.accepted)))), queue=queue)
        await eventually(lambda: frozen(worker), within=DEATH)
        yield
        os.kill(worker.pid, signal.SIGCONT)


@asynccontextmanager
async def zombies(scene: Scene, *cases: tuple[CrashPoint, tuple[str, str]]) -> AsyncIterator[None]:
    """Several at a time, each on a task queue of its own: what they wait for, they wait for together."""
    async with AsyncExitStack() as all_of_them:
        raised = (zombie(scene, *case, queue=f"-{number}") for number, case in enumerate(cases))
        await asyncio.gather(*(all_of_them.enter_async_context(one) for one in raised))
        yield


async def test_a_zombie_does_nothing_more_and_changes_nothing(scene: Scene) -> None:
    cases = (
        (CrashPoint.AFTER_CLAIM, MAIL),
        (CrashPoint.AFTER_SENT, REFUND),
        (CrashPoint.AFTER_SENT, MAIL),
        (CrashPoint.AFTER_EFFECT, REFUND),
    )
    async with zombies(scene, *cases):
        before = await scene.ended()
    after = await scene.ended()

    assert scene.broken(before) == []
    assert scene.broken(after) == []
    assert after.claims == before.claims
    assert len(before.effects) == 3  # mail that may have left is not sent again
    assert [effect.id for effect in after.effects] == [effect.id for effect in before.effects]


async def test_a_zombie_that_has_its_answer_settles_what_was_charged_at_the_bound(scene: Scene) -> None:
    cases = ((CrashPoint.BETWEEN_HOLD_AND_SETTLE, REFUND), (CrashPoint.MID_MODEL_CALL, MAIL))
    async with zombies(scene, *cases):
        before = await scene.ended()
    after = await scene.ended()
    (bound, cost), (kept, later) = ((before.books[name].status, after.books[name].status) for name in SESSIONS)

    assert scene.broken(before) == []
    assert scene.broken(after) == []
    assert bound.unknown > cost.unknown == 0
    assert bound.settled > cost.settled > bound.settled - bound.unknown  # its true cost is more than nothing
    assert kept.unknown >= later.unknown  # one that was cut off for too long has nothing better to say
    assert [cost.held, later.held] == [0, 0]
