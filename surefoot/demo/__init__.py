"""The demo: seven scenes of what Surefoot survives, each played for real on a stack of its own."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from surefoot.demo.play import perform
from surefoot.demo.stage import Stage
from surefoot.embedded.stack import Stack
from surefoot.embedded.up import until_told_to_end

BROKEN, INTERRUPTED = 1, 130


def play(*, keep: bool) -> int:
    """Play the demo, and stay up afterwards if asked to.

    Returns 0 only if every step did what it says, 130 when interrupted.
    """
    folder = Path(tempfile.mkdtemp(prefix="surefoot-demo-"))
    try:
        return asyncio.run(_played(folder, keep=keep))
    finally:
        shutil.rmtree(folder)


async def _played(folder: Path, *, keep: bool) -> int:
    stack = Stack(folder, given={}, in_memory=True)
    stage = Stage(stack)
    told_to_end = await until_told_to_end(perform(stage, keep=keep), again=stack.kill)
    if stage.broken:
        return BROKEN
    if told_to_end and not stage.finished:
        print("\nInterrupted; all that was started has ended.")
        return INTERRUPTED
    return 0
