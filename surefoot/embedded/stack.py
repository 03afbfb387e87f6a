"""The embedded stack: Temporal, Redis, the simulator and workers, where nothing else gives them."""

import asyncio
import itertools
import json
import os
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from surefoot.embedded import lending
from surefoot.embedded.lock import locked
from surefoot.embedded.processes import Child, ChildDied
from surefoot.embedded.redis import Redis, start_redis
from surefoot.embedded.simulator import start_simulator
from surefoot.embedded.temporal import NAMESPACE, start_temporal
from surefoot.embedded.worker import start_worker
from surefoot.settings import STACK_FILE, Settings, load

WORKER_GRACE = timedelta(seconds=30)
"""A worker may finish the calls that it has begun."""


class Stack:
    """Runs while its ``async with`` block does, one at a time in a state folder.

    What ``given`` names, by default what the environment, ``.env`` and Temporal's configuration set, is used and not
    started. What the stack lends instead is in ``lent`` and, for other processes, in the state folder's
    ``stack.json``. Without ``in_memory`` Temporal and Redis keep their state in the folder. Use it from the main
    thread: the processes end with the thread.
    """

    def __init__(
        self, folder: Path, *, given: Mapping[str, str] | None = None, in_memory: bool = False, ui: bool = True
    ) -> None:
        self.folder = folder.absolute()
        self.lent: dict[str, str] = {}
        self.servers: list[Child] = []
        self.simulator_url: str | None = None
        self.redis: Redis | None = None
        """The one that it lends."""
        self._given = given
        self._known = lending.found() if given is None else given
        self._in_memory = in_memory
        self._ui = ui
        self._simulator: Child | None = None
        self._workers: list[Child] = []
        self._deaths: asyncio.Queue[ChildDied] = asyncio.Queue()
        self._watchers: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as exit:
            exit.enter_context(locked(self.folder))
            (self.folder / STACK_FILE).unlink(missing_ok=True)
            exit.push_async_callback(self._stop_servers)
            await _all(self._start_redis(), self._start_temporal(), self._start_simulator())
            self._publish()
            exit.callback((self.folder / STACK_FILE).unlink, missing_ok=True)
            exit.push_async_callback(self._stop_workers)
            self._exit = exit.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exit.aclose()

    @property
    def addresses(self) -> dict[str, str]:
        """Everything that is given or lent, by variable name."""
        return {**self._known, **self.lent}

    @property
    def workers(self) -> list[Child]:
        """Those that run."""
        return [worker for worker in self._workers if worker.running]

    def environment(self, **more: str) -> dict[str, str]:
        """The variables for a child process: the environment's own, what the stack lends, and more."""
        ours = os.environ if self._given is None else {**lending.without_settings(os.environ), **self._given}
        own_temporal = lending.NO_TEMPORAL_CONFIG if "TEMPORAL_ADDRESS" in self.lent else {}
        return {**ours, **self.lent, **own_temporal, "SUREFOOT_STATE_DIR": str(self.folder), **more}

    def settings(self, **more: str) -> Settings:
        """The settings of a process that lives in this stack."""
        known = self._given if self._given is not None else {}
        file = ".env" if self._given is None else None
        return load(**{**known, **self.lent, "SUREFOOT_STATE_DIR": self.folder, **more}, _env_file=file)

    async def start_worker(self, **more: str) -> Child:
        """Start one more worker, and wait until it polls."""
        number = next(self._numbers)
        log = self._log(f"worker-{number}")
        worker = await start_worker(f"worker {number}", log=log, variables=self.environment(**more))
        return self._watched(worker, self._workers)

    async def start_redis(self) -> Redis:
        """Start one more Redis, in memory, for workers that may lose it."""
        return await self._new_redis(f"redis-{next(self._numbers)}", None)

    async def kill_worker(self, worker: Child) -> None:
        """End a worker with SIGKILL, as a crash would; ``watch`` does not report it."""
        worker.kill()
        await worker.death()

    async def watch(self) -> ChildDied:
        """Wait until a process ends that nobody asked to, and say which and how."""
        return await self._deaths.get()

    def kill(self) -> None:
        """End everything at once, without order or grace."""
        for child in (*self._workers, *self.servers):
            child.kill()

    async def _start_redis(self) -> None:
        if "REDIS_URL" in self._known:
            return
        self.redis = await self._new_redis("redis", None if self._in_memory else self.folder / "redis")
        self.lent["REDIS_URL"] = self.redis.url
        if "SUREFOOT_PAYLOAD_STORE" not in self._known:
            self.lent["SUREFOOT_PAYLOAD_STORE"] = "redis"

    async def _new_redis(self, name: str, folder: Path | None) -> Redis:
        redis = await start_redis(log=self._log(name), folder=folder)
        self._watched(redis.child, self.servers)
        return redis

    async def _start_temporal(self) -> None:
        if "TEMPORAL_ADDRESS" in self._known:
            return
        database = None if self._in_memory else self.folder / "temporal.sqlite"
        temporal = await start_temporal(log=self._log("temporal"), database=database, ui=self._ui)
        self._watched(temporal.child, self.servers)
        self.lent |= {"TEMPORAL_ADDRESS": temporal.address, "TEMPORAL_NAMESPACE": NAMESPACE}
        if temporal.ui:
            self.lent["SUREFOOT_TEMPORAL_UI"] = temporal.ui

    async def _start_simulator(self) -> None:
        if not lending.simulated(self._known, ""):
            return
        simulator = await start_simulator(log=self._log("simulator"))
        self._simulator = self._watched(simulator.child, self.servers)
        self.simulator_url = simulator.url
        self.lent |= lending.simulated(self._known, simulator.url)

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def _publish(self) -> None:
        draft = self.folder / f"{STACK_FILE}.new"
        draft.write_text(json.dumps(self.lent, indent=2) + "\n")
        draft.replace(self.folder / STACK_FILE)

    def _watched(self, child: Child, among: list[Child]) -> Child:
        among.append(child)
        watcher = asyncio.create_task(self._report(child))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        return child

    async def _report(self, child: Child) -> None:
        death = await child.death()
        if not child.ended_by_us:
            self._deaths.put_nowait(death)

    async def _stop_workers(self) -> None:
        await _all(*(worker.stop(WORKER_GRACE) for worker in self._workers))

    async def _stop_servers(self) -> None:
        for server in self.servers:
            if self._in_memory and server is not self._simulator:
                server.kill()  # it has nothing to keep, and Temporal takes a second to end well
        await _all(*(server.stop() for server in self.servers))


async def _all(*steps: Awaitable[None]) -> None:
    """Wait for every step, then raise the first error if any."""
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
