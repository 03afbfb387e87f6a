"""The connection to Redis: bounded in time, in batches, every failure a ``StoreUnavailable``."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Self, TypeAlias, TypeVar, cast

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from surefoot.errors import InvalidInput, StoreUnavailable
from surefoot.reliability.scripts import Script, script

CALLERS = 64
"""Connections for batches; further callers wait for one."""
FOLLOWERS = 256
"""Connections that may block, apart from the others so that who waits never starves whom they wait for."""

A = TypeVar("A")
B = TypeVar("B")
Read = TypeVar("Read", covariant=True)
Reply: TypeAlias = "str | int | Exception | list[str | int | None] | None"
Entries: TypeAlias = list[tuple[str, dict[str, str]]]
"""Of a stream: id and fields."""
Row: TypeAlias = list[str]
"""A reply, flat and as text; what is not there is empty."""

_AWAY = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)
_REFUSES_WRITES = re.compile(r"\b(OOM|READONLY|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|LOADING|BUSY)\b")
"""Redis is up but cannot serve. Redis 6 says it in the middle of a script's error."""


@dataclass(frozen=True)
class Step(Generic[Read]):
    """One command of a batch, and how its reply is read."""

    words: tuple[str | int, ...]
    read: Callable[[Row], Read]
    script: Script | None = None


def run(name: str, keys: Sequence[str], arguments: Sequence[str | int], read: Callable[[Row], A]) -> Step[A]:
    """The step that runs a script."""
    found = script(name)
    return Step(("EVALSHA", found.sha, len(keys), *keys, *arguments), read, found)


def _row(reply: Reply) -> Row:
    if isinstance(reply, Exception):
        raise exceptions.ConnectionError(str(reply)) if _REFUSES_WRITES.search(str(reply)) else reply
    return ["" if item is None else str(item) for item in (reply if isinstance(reply, list) else [reply])]


class Store:
    """Redis. Nothing is connected before the first batch; no batch takes longer than the timeout."""

    def __init__(self, callers: Redis, followers: Redis, *, address: str, timeout: timedelta) -> None:
        self._callers = callers
        self._followers = followers
        self._address = address
        self._timeout = timeout

    @classmethod
    def connect(cls, url: str, *, timeout: timedelta) -> Self:
        """Raises ``InvalidInput`` for an address that Redis cannot have."""
        seconds = timeout.total_seconds()
        try:
            callers = _pool(url, CALLERS, connect=seconds, answer=seconds)
            followers = _pool(url, FOLLOWERS, connect=seconds, answer=None)
        except ValueError as error:
            raise InvalidInput(f"not an address of Redis ({error}); expected redis://host:port/database") from None
        where = callers.connection_kwargs
        address = where.get("path") or f"{where.get('host', 'localhost')}:{where.get('port', 6379)}"
        client = Redis.from_pool(callers)
        client.response_callbacks.clear()  # replies stay as Redis gives them: lists, text and numbers
        return cls(client, Redis.from_pool(followers), address=address, timeout=timeout)

    async def close(self) -> None:
        await self._callers.aclose()
        await self._followers.aclose()

    @asynccontextmanager
    async def _bounded(self, time: timedelta) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(time.total_seconds()):
                yield
        except _AWAY as error:
            raise StoreUnavailable(
                f"Redis at {self._address} does not answer ({error or type(error).__name__}); check REDIS_URL"
            ) from error

    async def send(self, steps: Sequence[Step[Any]]) -> list[Row]:  # what they read is for whoever knows them
        """Run the steps in one round trip, or in two if Redis has lost a script. Their order is kept."""
        if not steps:
            return []
        async with self._bounded(self._timeout):
            replies = await self._pipeline([step.words for step in steps])
            lost = [i for i, reply in enumerate(replies) if isinstance(reply, exceptions.NoScriptError)]
            if lost:  # what came after the first of them ran too early, and may be repeated
                sources = [("SCRIPT LOAD", s.source) for s in {steps[i].script for i in lost} if s]
                again = await self._pipeline([*sources, *(step.words for step in steps[lost[0] :])])
                replies[lost[0] :] = again[len(sources) :]
            return [_row(reply) for reply in replies]

    async def _pipeline(self, commands: Sequence[tuple[str | int, ...]]) -> list[Reply]:
        pipeline = self._callers.pipeline(transaction=False)
        for words in commands:
            pipeline.execute_command(*words)
        replies: list[Reply] = await pipeline.execute(raise_on_error=False)
        return replies

    async def one(self, step: Step[A], *others: Step[None]) -> A:
        row, *_ = await self.send([step, *others])
        return step.read(row)

    async def two(self, first: Step[A], second: Step[B], *others: Step[None]) -> tuple[A, B]:
        one, two, *_ = await self.send([first, second, *others])
        return first.read(one), second.read(two)

    async def any_of(
        self, first: Step[A] | None, second: Step[B] | None, *others: Step[None]
    ) -> tuple[A | None, B | None]:
        """Those of the two that there are; None for one that is not."""
        rows = iter(await self.send([step for step in (first, second, *others) if step]))
        return first.read(next(rows)) if first else None, second.read(next(rows)) if second else None

    async def many(self, steps: Sequence[Step[A]]) -> list[A]:
        return [step.read(row) for step, row in zip(steps, await self.send(steps), strict=True)]

    async def first_and_rest(self, first: Step[A], rest: Sequence[Step[B]]) -> tuple[A, list[B]]:
        head, *tail = await self.send([first, *rest])
        return first.read(head), [step.read(row) for step, row in zip(rest, tail, strict=True)]

    async def pop(self, key: str, within: timedelta) -> str | None:
        """Take the first item of a list, waiting for one; None if there was none in time."""
        async with self._bounded(within + self._timeout):
            found = await self._followers.blpop([key], timeout=max(within.total_seconds(), 0.001))
        return str(found[1]) if found else None

    async def read(self, stream: str, after: str, within: timedelta) -> Entries:
        """Entries of a stream after an id, waiting for one; none if there was none in time."""
        async with self._bounded(within + self._timeout):
            found = await self._followers.xread({stream: after}, block=max(1, int(within.total_seconds() * 1000)))
        streams = cast("list[tuple[str, Entries]]", found)  # so it is in RESP 2
        return [entry for _, entries in streams for entry in entries]


def _pool(url: str, size: int, *, connect: float, answer: float | None) -> BlockingConnectionPool:
    """Retries are the caller's: the default ones hold a command for a minute."""
    return BlockingConnectionPool.from_url(
        url,
        max_connections=size,
        timeout=None,
        socket_connect_timeout=connect,
        socket_timeout=answer,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        protocol=2,
        driver_info=None,
    )
