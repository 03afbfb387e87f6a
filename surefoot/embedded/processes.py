"""Child processes that never outlive us, and that tell why they ended when they end before us."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from surefoot.errors import Unreachable

LAUNCHER = Path(__file__).with_name("launch.py")
GRACE = timedelta(seconds=10)
POLL = 0.02
"""Seconds between two looks at whether a child is ready."""
LAST_LINES = 10


class ChildDied(Unreachable):
    """A process of the embedded stack ended, or did not get ready; the message ends with its log's last lines."""

    def __init__(self, child: "Child", how: str) -> None:
        self.child = child
        self.told = f"{child.name} (process {child.pid}) {how}"
        """The message without the log."""
        super().__init__(f"{self.told}{child.last_lines()}")


class Child:
    """One running process, with its log.

    It has a process group of its own, so that Ctrl-C reaches it only through us, in order. It is killed when the
    thread that started it ends: start it from one that lives as long as it should.
    """

    def __init__(self, name: str, log: Path, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.log = log
        self.ended_by_us = False
        self._process = process

    @classmethod
    async def start(
        cls, name: str, command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> "Child":
        """Start the command with this environment, or ours. Its output is the log, which begins anew."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid())),
                *(str(word) for word in command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        return cls(name, log, process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def ready(self, probe: Callable[[], Awaitable[bool]], *, within: timedelta) -> None:
        """Wait until the probe says yes. Raises ``ChildDied`` if the process ends first or takes too long.

        However this ends, unless well, the process has ended too.
        """
        try:
            async with asyncio.timeout(within.total_seconds()):
                while not await probe():
                    if not self.running:
                        raise self._death()
                    await asyncio.sleep(POLL)
        except TimeoutError:
            await self._crash()
            raise ChildDied(self, f"was not ready within {within.total_seconds():g} s") from None
        except BaseException:
            await self._crash()
            raise

    async def death(self) -> ChildDied:
        """Wait until the process ends, and say how."""
        await self._process.wait()
        return self._death()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        self.ended_by_us = True
        self._signal(signal.SIGKILL)

    async def stop(self, grace: timedelta = GRACE) -> None:
        """End it with SIGTERM, and with SIGKILL if it is still there after the grace."""
        self.ended_by_us = True
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), grace.total_seconds())
        except TimeoutError:
            await self._crash()

    def _signal(self, number: signal.Signals) -> None:
        # asyncio's own way asks first whether the process has ended, which takes its exit code from whoever waits.
        if self.running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _crash(self) -> None:
        self.kill()
        await self._process.wait()

    def _death(self) -> ChildDied:
        status = self._process.returncode or 0
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"
        return ChildDied(self, how)

    def logged(self, line: str) -> bool:
        """Whether exactly this line stands in its log."""
        return line in self.log.read_text(errors="replace").splitlines()

    def last_lines(self) -> str:
        """The end of its log, as lines to be shown below a message."""
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "".join(f"\n  | {line}" for line in [f"end of {self.log}:", *lines])
