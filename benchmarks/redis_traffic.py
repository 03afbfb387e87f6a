"""A way to Redis that counts what goes over it: commands, and times that a client waits for an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import hiredis

CHUNK = 1 << 20
HOST = "127.0.0.1"


class Counter:
    """Passes on what it is given. A request that follows an answer, or opens a connection, begins a round trip."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self.commands = 0
        self.round_trips = 0
        self.url = url

    async def serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection(self._address.hostname, self._address.port)
        link = _Link(self)
        try:
            with suppress(ConnectionError):
                await asyncio.gather(link.requests(from_client, to_redis), link.answers(from_redis, to_client))
        finally:
            for writer in (to_client, to_redis):
                writer.close()

    def listens_at(self, port: int) -> None:
        self.url = urlunsplit(self._address._replace(netloc=f"{HOST}:{port}"))


class _Link:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._commands = hiredis.Reader(notEnoughData=self)
        self._waits = False

    async def requests(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(CHUNK):
            self._counter.round_trips += not self._waits
            self._waits = True
            self._commands.feed(piece)
            while self._commands.gets() is not self:
                self._counter.commands += 1
            sink.write(piece)
            await sink.drain()
        sink.close()

    async def answers(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(CHUNK):
            self._waits = False
            sink.write(piece)
            await sink.drain()
        sink.close()


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[Counter]:
    """Another address of the same Redis, whose traffic is counted."""
    counter = Counter(url)
    server = await asyncio.start_server(counter.serve, HOST, 0, limit=CHUNK)
    counter.listens_at(server.sockets[0].getsockname()[1])
    try:
        yield counter
    finally:
        server.close()
