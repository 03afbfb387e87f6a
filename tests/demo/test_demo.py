"""The demo, as a newcomer plays it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from surefoot.demo.stage import Stage
from surefoot.embedded.python import ROOT
from surefoot.embedded.stack import Stack
from surefoot.rehearsal import Broken
from tests.support.descendants import alive, children_of


async def started(folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "starter.py"),
        "demo",
        cwd=ROOT,
        env={
            **os.environ,
            "TMPDIR": str(folder),
            "TEMPORAL_ADDRESS": "127.0.0.1:1",
            "REDIS_URL": "redis://127.0.0.1:1",
        },
        stdout=asyncio.subprocess.PIPE,
    )


async def test_every_scene_does_what_it_says_whatever_the_environment_says(tmp_path: Path) -> None:
    demo = await started(tmp_path)
    told, _ = await demo.communicate()
    lines = told.decode().splitlines()

    assert demo.returncode == 0, told.decode()
    assert [line.partition(".")[0] for line in lines if line[:1].isdigit()] == list("1234567")
    assert sum("✓" in line for line in lines) == 25
    assert not any("✗" in line for line in lines)
    assert any("/namespaces/default/workflows/run" in line for line in lines)
    assert os.listdir(tmp_path) == []


async def test_an_interrupted_demo_ends_with_130_and_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = await started(tmp_path)
    assert demo.stdout is not None
    while b"1. A customer" not in await demo.stdout.readline():
        pass
    children = children_of(demo.pid)
    demo.send_signal(signal.SIGINT)
    assert b"all that was started has ended" in await demo.stdout.read()
    assert await demo.wait() == 130
    assert children
    assert not alive(children)
    assert os.listdir(tmp_path) == []


async def test_a_step_that_is_not_so_is_told_and_breaks_the_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(Stack(tmp_path, given={}, in_memory=True))
    stage.hold(True, "two and two are four")
    with pytest.raises(Broken, match=r"not so: one refund \(found 2\)") as broken:
        stage.hold(False, "one refund", 2)
    stage.fail(broken.value)
    await stage.told()
    assert stage.broken
    assert capsys.readouterr().out == "   ✓ two and two are four\n   ✗ not so: one refund (found 2)\n"
