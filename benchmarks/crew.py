"""The servers that runs are measured on, and a worker process for each variant, with what it has used."""

import itertools
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.variants.serving import READY
from surefoot.embedded.lending import WORLD, without_settings
from surefoot.embedded.processes import Child
from surefoot.embedded.python import environment
from surefoot.embedded.redis import Redis, start_redis
from surefoot.embedded.simulator import start_simulator
from surefoot.embedded.temporal import Temporal, start_temporal

START = timedelta(seconds=60)
GRACE = timedelta(seconds=15)
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Member:
    """One worker process, which serves a task queue of its own."""

    queue: str
    child: Child

    @property
    def cpu(self) -> float:
        """Seconds that it has worked so far, its own and the system's for it; proc(5)."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak(self) -> float:
        """The most memory that it has had so far, in MB."""
        return self._memory("VmHWM") / 1024

    @property
    def resident(self) -> int:
        """The memory that it has now, in KB."""
        return self._memory("VmRSS")

    def _memory(self, key: str) -> int:
        """KB; proc(5)."""
        lines = Path(f"/proc/{self.child.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


@dataclass(frozen=True)
class Crew:
    """Temporal and Redis in memory, and who works there."""

    temporal: Temporal
    redis: Redis
    _folder: Path
    _open: AsyncExitStack

    async def hire(self, queue: str, *words: str, module: str = "", python: str = sys.executable) -> Member:
        """Start a worker program for the queue, with these words behind its addresses, and wait until it polls.

        It is ``benchmarks.variants.QUEUE``, unless another module is given.
        """
        command = [python, "-u", "-m", module or f"benchmarks.variants.{queue}"]
        served = ["--address", self.temporal.address, "--queue", queue]
        variables = environment(without_settings(os.environ))
        child = await Child.start(queue, [*command, *served, *words], log=self._log(queue), environment=variables)

        async def polls() -> bool:
            return child.logged(READY)

        await child.ready(polls, within=START)
        self._open.push_async_callback(child.stop, GRACE)
        return Member(queue, child)

    async def simulated(self, target: str) -> str:
        """Start a simulator, and return the address in it of a provider's API."""
        simulator = await start_simulator(log=self._log("simulator"))
        self._open.push_async_callback(simulator.child.stop)
        return f"{simulator.url}/w/{WORLD}/{target}"

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}-{next(_NUMBERS)}.log"


@asynccontextmanager
async def assembled(folder: Path) -> AsyncIterator[Crew]:
    """Servers for as long as the block runs; whoever was hired in it ends first."""
    async with AsyncExitStack() as servers:
        temporal = await start_temporal(log=folder / "temporal.log", database=None, ui=False)
        servers.push_async_callback(temporal.child.stop)
        redis = await start_redis(log=folder / "redis.log", folder=None)
        servers.push_async_callback(redis.child.stop)
        async with AsyncExitStack() as workers:
            yield Crew(temporal, redis, folder, workers)
