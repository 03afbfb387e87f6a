"""The connection to Redis: bounded in time, in batches, every failure a ``StoreUnavailable``."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Self, TypeAlias, TypeVar

from redis import exceptions

from surefoot.errors import StoreUnavailable
from surefoot.reliability.connections import Connections, Entries, connected
from surefoot.reliability.exchange import Reply
from surefoot.reliability.scripts import Script, script

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
Read = TypeVar("Read", covariant=True)
Row: TypeAlias = list[str]
"""A reply, flat and as text; what is not there is empty."""

_AWAY = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ClusterError,
    exceptions.RedisClusterException,
    OSError,
)
_GONE = "the handler is closed"
"""What uvloop says, in a ``RuntimeError``, to who writes after the other side has broken the connection off."""
_REFUSES_WRITES = re.compile(r"\b(OOM|READONLY|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|LOADING|BUSY)\b")
"""Redis is up but cannot serve. Redis 6 says it in the middle of a script's error."""


@dataclass(frozen=True)
class Step(Generic[Read]):
    """One command of a batch, and how its reply is read."""

    words: tuple[str | int, ...]
    read: Callable[[Row], Read]
    script: Script | None = None
    aside: bool = False
    """Its failure is not the batch's: it has an empty reply."""


def run(
    name: str, keys: Sequence[str], arguments: Sequence[str | int], read: Callable[[Row], A], *, aside: bool = False
) -> Step[A]:
    """The step that runs a script."""
    found = script(name)
    return Step(("EVALSHA", found.sha, len(keys), *keys, *arguments), read, found, aside)


def _row(reply: Reply, step: Step[Any]) -> Row:
    if isinstance(reply, list):
        return [_text(item) if type(item) is not str else item for item in reply]
    if isinstance(reply, Exception):
        if step.aside:
            return []
        away = isinstance(reply, exceptions.NoScriptError) or _REFUSES_WRITES.search(str(reply))
        raise exceptions.ConnectionError(str(reply)) if away else reply
    return [_text(reply)]


def _text(item: str | int | None) -> str:
    return "" if item is None else str(item)


class Store:
    """Redis. Nothing is connected before the first batch; no batch takes longer than the timeout."""

    def __init__(self, connections: Connections, *, address: str, timeout: timedelta) -> None:
        self._connections = connections
        self._address = address
        self._timeout = timeout.total_seconds()

    @classmethod
    def connect(cls, url: str, *, timeout: timedelta) -> Self:
        """``redis://…`` is one server, ``redis+cluster://…`` any node of a cluster; with TLS ``rediss``.

        Raises ``InvalidInput`` for an address that Redis cannot have.
        """
        connections, address = connected(url, timeout)
        return cls(connections, address=address, timeout=timeout)

    async def close(self) -> None:
        await self._connections.close()

    async def _bounded(self, seconds: float, doing: Awaitable[A]) -> A:
        try:
            async with asyncio.timeout(seconds):
                return await doing
        except (*_AWAY, RuntimeError) as error:
            if isinstance(error, RuntimeError) and _GONE not in str(error):
                raise
            raise StoreUnavailable(
                f"Redis at {self._address} does not answer ({str(error) or type(error).__name__}); check REDIS_URL"
            ) from error

    async def send(self, steps: Sequence[Step[Any]]) -> list[Row]:  # what they read is for whoever knows them
        """Run the steps in one round trip, or in three if Redis has lost a script.

        On one server their order is kept; on a cluster they run at once, and none may rely on another.
        """
        return await self._bounded(self._timeout, self._rows(steps)) if steps else []

    async def _rows(self, steps: Sequence[Step[Any]]) -> list[Row]:
        replies = await self._connections.batch([step.words for step in steps])
        lost = [i for i, reply in enumerate(replies) if isinstance(reply, exceptions.NoScriptError)]
        if lost:  # what came after the first of them ran too early, and may be repeated
            sources = {found.source for i in lost if (found := steps[i].script)}
            await self._connections.batch([("SCRIPT LOAD", source) for source in sources])
            replies[lost[0] :] = await self._connections.batch([step.words for step in steps[lost[0] :]])
        return [_row(reply, step) for reply, step in zip(replies, steps, strict=True)]

    async def one(self, step: Step[A], *others: Step[None]) -> A:
        row, *_ = await self.send([step, *others])
        return step.read(row)

    async def two(self, first: Step[A], second: Step[B], *others: Step[None]) -> tuple[A, B]:
        one, two, *_ = await self.send([first, second, *others])
        return first.read(one), second.read(two)

    async def any_of(
        self, first: Step[A] | None, second: Step[B] | None, third: Step[C] | None = None, *others: Step[None]
    ) -> tuple[A | None, B | None, C | None]:
        """Those of the three that there are; None for one that is not."""
        rows = iter(await self.send([step for step in (first, second, third, *others) if step]))
        return (
            first.read(next(rows)) if first else None,
            second.read(next(rows)) if second else None,
            third.read(next(rows)) if third else None,
        )

    async def many(self, steps: Sequence[Step[A]]) -> list[A]:
        return [step.read(row) for step, row in zip(steps, await self.send(steps), strict=True)]

    async def first_and_rest(self, first: Step[A], rest: Sequence[Step[B]]) -> tuple[A, list[B]]:
        head, *tail = await self.send([first, *rest])
        return first.read(head), [step.read(row) for step, row in zip(rest, tail, strict=True)]

    async def pop(self, key: str, within: timedelta) -> str | None:
        """Take the first item of a list, waiting for one; None if there was none in time."""
        return await self._bounded(within.total_seconds() + self._timeout, self._connections.pop(key, within))

    async def read(self, stream: str, after: str, within: timedelta) -> Entries:
        """Entries of a stream after an id, waiting for one; none if there was none in time."""
        seconds = within.total_seconds() + self._timeout
        return await self._bounded(seconds, self._connections.entries(stream, after, within))
