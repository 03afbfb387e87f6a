"""A batch on one connection: written at once, its replies read as they come.

redis-py connects and logs in. Its pipeline costs several times what Redis does with a batch, so the bytes are sent
and read here. Which replies are whose is known by their order alone: a connection whose batch was not read to the
end, for whatever reason, is closed and never serves another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import TypeAlias, cast

import hiredis
from redis import exceptions
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection, DefaultParser

Words: TypeAlias = tuple[str | int, ...]
Reply: TypeAlias = "str | int | Exception | list[str | int | None] | None"

CHUNK = 65536
"""Bytes that are read at a time."""
_LOOKS = frozenset(("HGETALL", "SMEMBERS", "PING"))
_MORE = object()
"""What the reader says while a reply is not complete."""


def packed(commands: Sequence[Words]) -> bytes:
    """Commands as they are sent; the first word of one may hold several, such as ``SCRIPT LOAD``."""
    return b"".join([_look(words) if words[0] in _LOOKS else _packed(words) for words in commands])


def _packed(words: Words) -> bytes:
    if " " in str(words[0]):
        words = _split(*words)
    found: bytes = hiredis.pack_command(cast("tuple[str]", words))  # a tuple of any length, whatever its stub says
    return found


_look = lru_cache(maxsize=4096)(_packed)
"""Looks at the same keys are repeated word for word."""


def _split(head: str | int, *rest: str | int) -> Words:
    return (*str(head).split(), *rest)


class Line:
    """One connection. Used by one batch at a time."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._replies = self._reader()

    @staticmethod
    def _reader() -> hiredis.Reader:
        return hiredis.Reader(
            protocolError=exceptions.InvalidResponse,
            replyError=DefaultParser.parse_error,
            encoding="utf-8",
            notEnoughData=_MORE,
        )

    async def exchange(self, request: bytes, count: int) -> list[Reply]:
        """Send, and read so many replies; an error among them is one of the replies.

        Raises redis-py's ``ConnectionError`` and ``TimeoutError``, and ``OSError``. It has no limit in time.
        """
        try:
            await self._connected()
            await self._connection.send_packed_command(request, check_health=False)
            return await self._read(count)
        except BaseException:
            await self.close()
            raise

    async def _connected(self) -> None:
        connection = self._connection
        writer = connection._writer
        alive = writer is not None and not writer.is_closing()  # what was reset has no end that `can_read` would see
        if alive and not self._replies.has_data() and not await connection.can_read():
            return
        await self.close()  # the server has closed it, or has sent what nobody asked for
        connect: Callable[[], Awaitable[None]] = connection.connect
        await connect()
        self._replies = self._reader()

    async def _read(self, count: int) -> list[Reply]:
        stream, replies = self._connection._reader, self._replies
        found: list[Reply] = []
        while len(found) < count:
            reply = replies.gets()
            if reply is not _MORE:
                found.append(reply)
            elif stream and (data := await stream.read(CHUNK)):
                replies.feed(data)
            else:
                raise exceptions.ConnectionError("the server has closed the connection")
        return found

    async def close(self) -> None:
        """Takes no time: nobody waits for the other side."""
        await self._connection.disconnect(nowait=True)


class Lines:
    """As many connections as there are batches at a time, up to a number; a further batch waits for one."""

    def __init__(self, pool: ConnectionPool, most: int) -> None:
        """The pool only tells how connections are made."""
        self._pool = pool
        self._places = asyncio.Semaphore(most)
        self._idle: list[Line] = []
        self._all: list[Line] = []

    async def batch(self, commands: Sequence[Words]) -> list[Reply]:
        request = packed(commands)
        async with self._places:
            line = self._idle.pop() if self._idle else self._new()
            try:
                return await line.exchange(request, len(commands))
            finally:
                self._idle.append(line)

    def _new(self) -> Line:
        make: Callable[[], AbstractConnection] = self._pool.make_connection
        line = Line(make())
        self._all.append(line)
        return line

    async def close(self) -> None:
        for line in self._all:
            await line.close()
