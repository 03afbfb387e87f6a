"""A worker that is frozen for longer than everything that it had a right to, and goes on as if nothing had been."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from surefoot.crash_points import CrashPoint
from surefoot.embedded.processes import Child
from tests.chaos.plan import tag
from tests.crashes.scene import Scene
from tests.crashes.test_crashes import DEATH, PROMPTS
from tests.support.waiting import eventually

REFUND, *_, MAIL = PROMPTS


def frozen(worker: Child) -> bool:
    return Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@asynccontextmanager
async def zombie(scene: Scene, point: CrashPoint, kind: tuple[str, str]) -> AsyncIterator[None]:
    """A worker that freezes at the point; after the block it goes on, finishes what it had begun, and ends."""
    profile, prompt = kind
    async with scene.doomed(f"{point}:freeze") as worker:
        await scene.start((profile, prompt.replace("%s", tag(0))))
        await eventually(lambda: frozen(worker), within=DEATH)
        yield
        os.kill(worker.pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("point", "kind"),
    [
        (CrashPoint.AFTER_CLAIM, MAIL),
        (CrashPoint.AFTER_SENT, REFUND),
        (CrashPoint.AFTER_SENT, MAIL),
        (CrashPoint.AFTER_EFFECT, REFUND),
    ],
)
async def test_a_zombie_does_nothing_more_and_changes_nothing(
    point: CrashPoint, kind: tuple[str, str], scene: Scene
) -> None:
    async with zombie(scene, point, kind):
        before = await scene.ended()
    after = await scene.ended()

    assert scene.broken(before) == []
    assert scene.broken(after) == []
    assert after.claims == before.claims
    assert [effect.id for effect in after.effects] == [effect.id for effect in before.effects]
