"""Connections to one server of Redis, or to a cluster: how a batch of commands is sent, and who may wait on one."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeAlias, cast

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from surefoot.errors import InvalidInput
from surefoot.reliability.exchange import Lines, Reply, Words

CALLERS = 64
"""Connections for batches (to a cluster: commands at a time); further callers wait for one."""
FOLLOWERS = 256
"""Connections that may block, apart from the others so that who waits never starves whom they wait for."""
SHORTEST = 0.01
"""Seconds. Redis 6 rounds a millisecond down to nothing, and then waits for ever."""
ON_A_CLUSTER = "+cluster"
"""Ends the scheme of a cluster's address: ``redis+cluster://host:port`` of any of its nodes."""

_OF_THE_CLIENT = ("CLUSTER", "COMMAND")
"""Whose replies the client of a cluster reads itself."""

Entries: TypeAlias = list[tuple[str, dict[str, str]]]
"""Of a stream: id and fields."""


class Connections(Protocol):
    """Where batches are sent. Replies stay as Redis gives them: lists, text, numbers and errors."""

    async def batch(self, commands: Sequence[Words]) -> list[Reply]: ...

    async def pop(self, key: str, within: timedelta) -> str | None: ...

    async def entries(self, stream: str, after: str, within: timedelta) -> Entries: ...

    async def close(self) -> None: ...


class _Waiting:
    """The commands that block, on connections of their own."""

    def __init__(self, followers: "Redis | RedisCluster") -> None:
        self._followers = followers

    async def pop(self, key: str, within: timedelta) -> str | None:
        await self._followers.initialize()
        found = await self._followers.blpop([key], timeout=max(within.total_seconds(), SHORTEST))
        return str(found[1]) if found else None

    async def entries(self, stream: str, after: str, within: timedelta) -> Entries:
        await self._followers.initialize()
        found = await self._followers.xread({stream: after}, block=max(1, int(within.total_seconds() * 1000)))
        streams = cast("list[tuple[str, Entries]]", found)  # so it is in RESP 2
        return [entry for _, entries in streams for entry in entries]


class OneServer(_Waiting):
    """A batch is one round trip. The order of its commands is kept."""

    def __init__(self, url: str, seconds: float) -> None:
        """Raises ``ValueError`` for an address that is none."""
        super().__init__(Redis.from_pool(pool(url, FOLLOWERS, connect=seconds)))
        self._callers = Lines(pool(url, CALLERS, connect=seconds), CALLERS)

    async def batch(self, commands: Sequence[Words]) -> list[Reply]:
        return await self._callers.batch(commands)

    async def close(self) -> None:
        await self._callers.close()
        await self._followers.aclose()


class Cluster(_Waiting):
    """A batch is as many concurrent commands, each to the node that has its slot. They are in no order.

    A node that is away is the reply of the commands that are its own: the others have theirs.
    """

    def __init__(self, url: str, seconds: float) -> None:
        """Raises ``ValueError`` for an address that is none."""
        super().__init__(_cluster(url, FOLLOWERS, connect=seconds))
        self._callers = _cluster(url, CALLERS, connect=seconds)
        callbacks = self._callers.response_callbacks
        for name in [name for name in callbacks if not name.upper().startswith(_OF_THE_CLIENT)]:
            del callbacks[name]
        self._places = asyncio.Semaphore(CALLERS)

    async def batch(self, commands: Sequence[Words]) -> list[Reply]:
        await self._callers.initialize()  # a command that comes before it knows the slots goes to any node
        replies = await asyncio.gather(*(self._one(words) for words in commands))
        return list(replies)

    async def _one(self, words: Words) -> Reply:
        async with self._places:
            try:
                reply: Reply = await self._callers.execute_command(*words)
            except (exceptions.RedisError, OSError) as error:
                return error
            return reply

    async def close(self) -> None:
        await self._callers.aclose()
        await self._followers.aclose()


def connected(url: str, timeout: timedelta) -> tuple[Connections, str]:
    """Connections, none of them made yet, and the address for messages without its password.

    Raises ``InvalidInput`` for an address that Redis cannot have.
    """
    scheme, separator, rest = url.partition("://")
    plain = f"{scheme.removesuffix(ON_A_CLUSTER)}{separator}{rest}"
    kind = Cluster if scheme.endswith(ON_A_CLUSTER) else OneServer
    try:
        where: dict[str, Any] = dict(parse_url(plain))
        connections = kind(plain, timeout.total_seconds())
    except ValueError as error:
        raise InvalidInput(
            f"not an address of Redis ({error}); expected redis://host:port/database or redis+cluster://host:port"
        ) from None
    return connections, where.get("path") or f"{where.get('host', 'localhost')}:{where.get('port', 6379)}"


def pool(url: str, size: int, *, connect: float) -> BlockingConnectionPool:
    """Connections to one server as the guards have them.

    Retries are the caller's: the default ones hold a command for a minute.
    """
    return BlockingConnectionPool.from_url(
        url,
        max_connections=size,
        timeout=None,
        socket_connect_timeout=connect,
        socket_timeout=None,  # a batch's own limit holds; under redis-py's, Python 3.11 loses cancellations (wait_for)
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        protocol=2,
        driver_info=None,
    )


def _cluster(url: str, size: int, *, connect: float) -> RedisCluster:
    return RedisCluster.from_url(
        url,
        max_connections=size,
        socket_connect_timeout=connect,
        socket_timeout=None,  # as above
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        protocol=2,
        driver_info=None,
    )
