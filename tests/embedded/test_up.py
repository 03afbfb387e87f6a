"""What ``up`` leaves behind: nothing, however it ends."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from surefoot.embedded.lending import without_settings
from tests.support import run_up
from tests.support.descendants import alive, children_of, command_of
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def running_up(folder: Path, *, workers: int = 0, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """``up`` in a process of its own, once it has said that it is there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-u", run_up.__file__, str(folder), str(workers)),
        env={**without_settings(os.environ), "PYTHONPATH": str(ROOT), **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process, text: str) -> str:
    """Everything that it has printed, up to the line with this text."""
    lines = []
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"it ended without saying {text!r}: {''.join(lines)}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_up_ends_in_order_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    async with running_up(tmp_path) as process:
        welcome = await said(process, "Ctrl-C")
        assert "Temporal UI  http://127.0.0.1:" in welcome
        assert "Redis        redis://127.0.0.1:" in welcome
        assert f"cd {shlex.quote(str(ROOT))}\n  export SUREFOOT_STATE_DIR={tmp_path}\n" in welcome
        assert "worker.py  # runs wait for one" in welcome
        children = children_of(process.pid)
        assert len(children) == 3
        process.send_signal(number)
        await said(process, "Ended")
        assert await process.wait() == 0
        assert not alive(children)


async def test_no_process_outlives_an_up_that_was_killed_with_sigkill(tmp_path: Path) -> None:
    async with running_up(tmp_path) as process:
        await said(process, "Ctrl-C")
        children = children_of(process.pid)
        process.kill()
        await process.wait()
        await eventually(lambda: not alive(children))


async def test_a_worker_that_crashes_is_reported_and_replaced(tmp_path: Path) -> None:
    async with running_up(tmp_path, workers=1) as process:
        welcome = await said(process, "Ctrl-C")
        crashed = int(welcome.partition("Workers      process ")[2].split()[0])
        os.kill(crashed, signal.SIGKILL)
        report = await said(process, "Worker 2 is ready")
        assert f"worker 1 (process {crashed}) was ended by SIGKILL" in report
        assert "  | ready" in report
        process.terminate()
        assert await process.wait() == 0


async def test_whoever_asks_twice_need_not_wait_for_a_worker_that_hangs(tmp_path: Path) -> None:
    async with running_up(tmp_path, workers=1) as process:
        await said(process, "Ctrl-C")
        children = children_of(process.pid)
        hung = next(pid for pid in children if "worker.py" in command_of(pid))
        os.kill(hung, signal.SIGSTOP)
        process.terminate()
        await said(process, "Ending")
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0
        assert not alive(children)


async def test_a_server_that_crashes_ends_everything_with_its_last_lines(tmp_path: Path) -> None:
    async with running_up(tmp_path) as process:
        await said(process, "Ctrl-C")
        children = children_of(process.pid)
        redis = next(pid for pid in children if "redis-server" in command_of(pid))
        os.kill(redis, signal.SIGKILL)
        report = await said(process, "Ready to accept connections")
        assert f"Redis (process {redis}) was ended by SIGKILL" in report
        assert await process.wait() == 1
        assert not alive(children)


async def test_a_signal_while_the_stack_starts_leaves_nothing(tmp_path: Path) -> None:
    async with running_up(tmp_path) as process:
        await eventually(lambda: bool(children_of(process.pid)))
        children = children_of(process.pid)
        process.terminate()
        assert await process.wait() == 0
        assert not alive(children)


async def test_a_wrong_setting_is_told_before_anything_starts(tmp_path: Path) -> None:
    async with running_up(tmp_path, SUREFOOT_MAX_ACTIVITIES="none") as process:
        assert "SUREFOOT_MAX_ACTIVITIES" in await said(process, "SUREFOOT_MAX_ACTIVITIES")
        assert await process.wait() == 1
    assert not os.listdir(tmp_path)


async def test_what_a_dotenv_file_gives_is_used_and_its_password_is_not_shown(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with_password = redis_url.replace("redis://", "redis://somebody:hush@")
    (tmp_path / ".env").write_text(f"REDIS_URL={with_password}\n")
    async with running_up(tmp_path / "state") as process:
        welcome = await said(process, "Ctrl-C")
        assert f"Redis        {redis_url}" in welcome
        assert "hush" not in welcome
        assert not any("redis-server" in command_of(child) for child in children_of(process.pid))


async def test_a_temporal_that_the_users_profile_names_is_used_and_not_started(
    tmp_path: Path, temporal_address: str
) -> None:
    profile = tmp_path / "temporal.toml"
    profile.write_text(f'[profile.default]\naddress = "{temporal_address}"\n')
    async with running_up(tmp_path / "state", TEMPORAL_CONFIG_FILE=str(profile)) as process:
        assert f"Temporal     {temporal_address}" in await said(process, "Ctrl-C")
        assert not any("start-dev" in command_of(child) for child in children_of(process.pid))


async def test_an_unreadable_profile_of_temporals_is_told_before_anything_starts(tmp_path: Path) -> None:
    profile = tmp_path / "temporal.toml"
    profile.write_text("this is no TOML")
    async with running_up(tmp_path / "state", TEMPORAL_CONFIG_FILE=str(profile)) as process:
        await said(process, "Temporal's configuration cannot be used")
        assert await process.wait() == 1
    assert os.listdir(tmp_path) == ["temporal.toml"]
