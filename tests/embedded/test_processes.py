"""Child processes: ready, dead, ended, and on whose ports."""

import asyncio
import os
import socket
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from surefoot.embedded.ports import HOST, free_port, holds
from surefoot.embedded.processes import Child, ChildDied
from surefoot.embedded.retries import on_free_ports
from tests.support.descendants import alive

STUBBORN = "trap '' TERM; echo here; while true; do sleep 0.1; done"


async def shell(script: str, folder: Path) -> Child:
    return await Child.start("shell", ["/bin/sh", "-c", script], log=folder / "shell.log")


async def says(child: Child, line: str) -> None:
    async def said() -> bool:
        return child.logged(line)

    await child.ready(said, within=timedelta(seconds=10))


async def never() -> bool:
    return False


async def test_a_child_that_ends_before_it_is_ready_is_reported_with_its_last_words(tmp_path: Path) -> None:
    child = await shell("seq 1 20; echo no disk >&2; exit 7", tmp_path)
    with pytest.raises(ChildDied) as death:
        await child.ready(never, within=timedelta(seconds=10))
    first, *lines = str(death.value).splitlines()
    assert first == f"shell (process {child.pid}) ended with exit code 7"
    assert lines == [f"  | end of {tmp_path}/shell.log:", *(f"  | {n}" for n in range(12, 21)), "  | no disk"]


async def test_a_child_that_takes_too_long_to_be_ready_is_ended(tmp_path: Path) -> None:
    child = await shell("sleep 60", tmp_path)
    with pytest.raises(ChildDied, match=r"was not ready within 0\.1 s"):
        await child.ready(never, within=timedelta(seconds=0.1))
    assert not alive({child.pid})


async def test_a_child_is_ended_when_waiting_for_it_is_cancelled(tmp_path: Path) -> None:
    child = await shell("sleep 60", tmp_path)
    waiting = asyncio.create_task(child.ready(never, within=timedelta(seconds=60)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not alive({child.pid})


async def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    child = await shell(STUBBORN, tmp_path)
    await says(child, "here")
    await child.stop(timedelta(seconds=0.2))
    assert not child.running
    assert "was ended by SIGKILL" in str(await child.death())


async def test_ending_a_child_twice_is_no_error(tmp_path: Path) -> None:
    child = await shell("true", tmp_path)
    await child.death()
    child.kill()
    await child.stop()


async def test_a_child_is_not_in_the_terminals_process_group(tmp_path: Path) -> None:
    child = await shell("echo here; sleep 60", tmp_path)
    await says(child, "here")
    assert os.getpgid(child.pid) == child.pid
    await child.stop()


async def test_a_command_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    child = await Child.start("nothing", [tmp_path / "missing"], log=tmp_path / "log")
    with pytest.raises(ChildDied, match=r"(?s)nothing .* ended with exit code 1.*No such file"):
        await child.ready(never, within=timedelta(seconds=10))


async def test_a_port_counts_only_for_the_process_that_listens_on_it(tmp_path: Path) -> None:
    child = await shell("sleep 60", tmp_path)
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert holds(os.getpid(), port)
        assert not holds(child.pid, port)
    assert not holds(os.getpid(), port)
    await child.stop()


async def test_a_server_whose_port_is_taken_starts_on_another(tmp_path: Path) -> None:
    listen = f"import socket, sys, time; s = socket.create_server(({HOST!r}, int(sys.argv[1]))); time.sleep(60)"
    with socket.create_server((HOST, 0)) as taken:
        ports = iter([taken.getsockname()[1], free_port()])

        async def start() -> tuple[Child, int]:
            port = next(ports)
            child = await Child.start("server", [sys.executable, "-c", listen, str(port)], log=tmp_path / "log")

            async def listens() -> bool:
                return holds(child.pid, port)

            await child.ready(listens, within=timedelta(seconds=10))
            return child, port

        child, port = await on_free_ports(start)
        assert holds(child.pid, port)
        await child.stop()


async def test_a_child_that_is_asked_twice_to_end_is_still_known_to_have_been_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    children = [await shell("sleep 60", tmp_path) for _ in range(20)]
    for child in children:
        child.kill()
        await child.stop()
    assert {str(await child.death()).partition(") ")[2].splitlines()[0] for child in children} == {
        "was ended by SIGKILL"
    }
    assert caplog.messages == []
