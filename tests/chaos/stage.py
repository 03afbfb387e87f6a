"""The stack that a storm strikes: every server behind a proxy, so that its address outlives it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.client.payloads import converter
from surefoot.embedded.lending import without_settings
from surefoot.embedded.processes import Child, ChildDied
from surefoot.embedded.redis import Redis, start_redis
from surefoot.embedded.temporal import Temporal, start_temporal
from surefoot.embedded.worker import start_worker
from surefoot.settings import Settings, load
from surefoot.simulator.client import SimulatorClient
from tests.chaos.plan import TENANT
from tests.support.proxy import FaultProxy, proxy_to
from tests.support.redis import ask_redis
from tests.support.workers import as_variables
from workflows import guard_news

AGENTS = Path(__file__).parent / "agents"
PREFIX = "storm"
CUT = timedelta(milliseconds=200)
"""For so long nothing can connect to Redis after its connections were cut."""


class Stage:
    """Redis with its append-only file, Temporal on disk, and workers, which can all be killed.

    Redis writes each command to disk before it answers: what it has acknowledged outlives its death, as the promises
    about money and claims suppose. With the shipped ``everysec`` a crash may lose the last second.
    """

    def __init__(
        self, folder: Path, simulator: SimulatorClient, redis: Redis, temporal: Temporal, heartbeat: timedelta
    ) -> None:
        self.simulator = simulator
        self.quiet = asyncio.Lock()
        """Held by who wants Temporal to stay up for a moment."""
        self.workers: list[Child] = []
        self.killed = 0
        self._folder = folder
        self._heartbeat = heartbeat
        self._redis = redis
        self._temporal = temporal
        self._redis_proxy: FaultProxy
        self._temporal_proxy: FaultProxy
        self.settings: Settings
        self.client: Client
        self._started = 0

    @classmethod
    @asynccontextmanager
    async def set(
        cls, folder: Path, simulator: SimulatorClient, *, workers: int, heartbeat: timedelta
    ) -> AsyncIterator["Stage"]:
        """Everything runs until the block ends.

        A heartbeat that is shorter than the delays of a busy machine has living activities taken for dead and done
        once more, which makes it busier.
        """
        redis, temporal = await asyncio.gather(
            start_redis(log=folder / "redis.log", folder=folder / "redis"),
            start_temporal(log=folder / "temporal.log", database=folder / "temporal.sqlite", ui=False),
        )
        stage = cls(folder, simulator, redis, temporal, heartbeat)
        async with AsyncExitStack() as exit:
            exit.push_async_callback(stage._end)
            await exit.enter_async_context(stage._proxies())
            await stage._write_through()
            stage.client = await Client.connect(
                stage.settings.temporal_address or "", data_converter=converter(stage.settings)
            )
            stage.workers = [*await asyncio.gather(*(stage._worker() for _ in range(workers)))]
            yield stage

    @property
    def surefoot(self) -> SurefootClient:
        return SurefootClient(self.client, task_queue=self.settings.task_queue, answer_within=timedelta(seconds=10))

    @property
    def redis_url(self) -> str:
        """Redis itself, past the proxy."""
        return self._redis.url

    @property
    def tenants(self) -> tuple[str, ...]:
        """Whose runs and incidents are this stage's: no other has this Temporal."""
        return TENANT, guard_news.FLEET

    @asynccontextmanager
    async def _proxies(self) -> AsyncIterator[None]:
        async with (
            proxy_to(self._redis.url) as (redis, redis_url),
            proxy_to(f"temporal://{self._temporal.address}") as (temporal, temporal_url),
        ):
            self._redis_proxy, self._temporal_proxy = redis, temporal
            self.settings = load(
                SUREFOOT_ENV="test",
                SUREFOOT_STATE_DIR=self._folder,
                SUREFOOT_AGENTS_DIR=AGENTS,
                SUREFOOT_TASK_QUEUE="storm",
                SUREFOOT_KEY_PREFIX=PREFIX,
                SUREFOOT_HEARTBEAT=self._heartbeat,
                SUREFOOT_STICKY=timedelta(milliseconds=500),
                SUREFOOT_STORE_TIMEOUT=timedelta(milliseconds=500),
                REDIS_URL=redis_url,
                TEMPORAL_ADDRESS=urlsplit(temporal_url).netloc,
                **self.simulator.variables,
                _env_file=None,
            )
            yield

    async def _end(self) -> None:
        for child in (*self.workers, self._redis.child, self._temporal.child):
            child.kill()
            await child.death()

    async def _worker(self) -> Child:
        """A new worker; one that finds Temporal away as it starts is started again."""
        variables = {**without_settings(os.environ), **as_variables(self.settings)}
        while True:
            self._started += 1
            name = f"worker-{self._started}"
            try:
                return await start_worker(name, log=self._folder / f"{name}.log", variables=variables)
            except ChildDied as death:
                if "exit code 4" not in death.told:
                    raise
                await asyncio.sleep(0.2)

    async def kill_worker(self, choice: int) -> None:
        """SIGKILL, and another worker in its place."""
        place = choice % len(self.workers)
        doomed = self.workers[place]
        if doomed.ended_by_us:
            return  # its successor is not there yet
        self.killed += 1
        doomed.kill()
        await doomed.death()
        self.workers[place] = await self._worker()

    async def restart_redis(self) -> None:
        """SIGKILL, and a new server with what the append-only file kept."""
        self._redis.child.kill()
        await self._redis.child.death()
        self._redis = await start_redis(log=self._folder / "redis.log", folder=self._folder / "redis")
        await self._write_through()
        address = urlsplit(self._redis.url)
        self._redis_proxy.move_to(address.hostname or "", address.port or 0)

    async def cut_redis(self) -> None:
        self._redis_proxy.reset_connections()
        await asyncio.sleep(CUT.total_seconds())
        self._redis_proxy.heal()

    async def wipe_redis(self) -> None:
        await ask_redis(self._redis.url, "FLUSHALL")

    async def restart_temporal(self) -> None:
        """SIGKILL, and a new server with what the database kept."""
        async with self.quiet:
            self._temporal.child.kill()
            await self._temporal.child.death()
            self._temporal = await start_temporal(
                log=self._folder / "temporal.log", database=self._folder / "temporal.sqlite", ui=False
            )
            host, _, port = self._temporal.address.partition(":")
            self._temporal_proxy.move_to(host, int(port))

    async def _write_through(self) -> None:
        if await ask_redis(self._redis.url, "CONFIG SET appendfsync always") != "+OK":
            raise RuntimeError("Redis does not take `appendfsync always`")
