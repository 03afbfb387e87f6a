"""A Redis with a replica, whose link a test can cut before it lets the replica take over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis as Connection

from surefoot.embedded.redis import Redis, start_redis
from tests.support.proxy import FaultProxy, proxy_to


@dataclass(frozen=True)
class Pair:
    """A primary, and a replica behind a link."""

    primary: Redis
    replica: Redis
    link: FaultProxy

    async def caught_up(self) -> None:
        """Wait until the replica has all that has been written."""
        async with Connection.from_url(self.primary.url) as primary:
            await primary.set("caught", "up")
            if await primary.wait(1, 5000) != 1:
                raise TimeoutError("the replica did not catch up")

    def lag(self) -> None:
        """From now on nothing that is written reaches the replica."""
        self.link.black_hole()

    async def fail_over(self) -> None:
        """The primary dies, and the replica takes over with what it has."""
        self.primary.child.kill()
        async with Connection.from_url(self.replica.url) as replica:
            await replica.replicaof("NO", "ONE")


@asynccontextmanager
async def replicated(folder: Path) -> AsyncIterator[Pair]:
    primary = await start_redis(log=folder / "primary.log", folder=folder / "primary")
    replica = await start_redis(log=folder / "replica.log", folder=folder / "replica")
    try:
        async with proxy_to(primary.url) as (link, _):
            async with Connection.from_url(primary.url) as one, Connection.from_url(replica.url) as other:
                await one.config_set("repl-diskless-sync-delay", 0)
                await other.replicaof("127.0.0.1", str(link.port))
            yield Pair(primary, replica, link)
    finally:
        primary.child.kill()
        replica.child.kill()
