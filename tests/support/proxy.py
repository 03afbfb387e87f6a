"""A TCP proxy between clients and a server, which breaks what passes through it in the way that a test chooses."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from urllib.parse import urlsplit, urlunsplit

MOST_LINKS = 512
"""Connections at a time; a further one is reset."""
CHUNK = 65536
AT_ONCE = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a reset."""


class Direction(Enum):
    REQUESTS = auto()
    REPLIES = auto()


class Fault(Enum):
    """What happens to every connection, those that there are and those to come."""

    NONE = auto()
    BLACK_HOLE = auto()
    RESET = auto()
    HALF_CLOSED = auto()


@dataclass(eq=False)
class Link:
    """One client's connection, and ours to the server for it."""

    from_client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    from_server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    deaf: bool = field(default=False)
    """A reply has been lost: nothing that follows it may reach the client either."""

    def half_close(self) -> None:
        if not self.deaf and self.to_client.can_write_eof():
            self.to_client.write_eof()
        self.deaf = True

    def reset(self) -> None:
        reset(self.to_client)

    def end(self) -> None:
        for writer in (self.to_client, self.to_server):
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other side is told by RST."""
    if writer.is_closing():
        return
    with suppress(OSError):  # the other side was faster
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.transport.abort()


class FaultProxy:
    """Every switch works at once, on open connections too, until ``heal``."""

    def __init__(self, host: str, port: int, *, seed: int = 0, most_links: int = MOST_LINKS) -> None:
        self._server_at = (host, port)
        self._most_links = most_links
        self._random = random.Random(seed)
        self._links: set[Link] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self._switched = asyncio.Event()
        self._listener: asyncio.Server | None = None
        self.replies_lost = 0
        self._calm()

    def _calm(self) -> None:
        self._fault = Fault.NONE
        self._stalled: set[Direction] = set()
        self._latency = (0.0, 0.0)
        self._spared = 0
        self._to_lose = 0
        self._share_lost = 0.0
        self._silently = False

    async def start(self) -> None:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def close(self) -> None:
        """End every connection and every task, and wait for them."""
        self._fail(Fault.RESET)  # for a connection whose task has not begun yet
        if self._listener:
            self._listener.close()
        for handler in list(self._handlers):
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    @property
    def port(self) -> int:
        if self._listener is None:
            raise RuntimeError("the proxy is not started")
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        return len(self._links)

    def move_to(self, host: str, port: int) -> None:
        """Serve new connections from another address, since the server was restarted there."""
        self._server_at = (host, port)

    # Switches.

    def heal(self) -> None:
        """No fault any more. What was stalled goes on its way now."""
        self._calm()
        self._switch()

    def delay(self, least: timedelta, most: timedelta | None = None) -> None:
        """Hold each piece up in each direction, for a time between the two."""
        self._latency = (least.total_seconds(), (most or least).total_seconds())

    def black_hole(self) -> None:
        """Take what clients send and answer nothing; the server gets nothing either."""
        self._fail(Fault.BLACK_HOLE)

    def reset_connections(self) -> None:
        self._fail(Fault.RESET)
        for link in self._links:
            link.reset()

    def half_close(self) -> None:
        """End the direction from server to client; what clients send still reaches the server."""
        self._fail(Fault.HALF_CLOSED)
        for link in self._links:
            link.half_close()

    def stall(self, direction: Direction) -> None:
        """Keep what goes in one direction until the proxy is healed; then it arrives, however late."""
        self._stalled.add(direction)
        self._switch()

    def drop_replies(self, count: int, *, after: int = 0, silently: bool = False) -> None:
        """Lose the next replies, or those after some, though their requests reached the server.

        The connection that carried one is reset, or stays open and mute if ``silently``.
        """
        self._spared = after
        self._to_lose = count
        self._silently = silently

    def lose_replies(self, share: float) -> None:
        """Lose this share of all replies, as ``drop_replies`` does, by the dice of the proxy's seed."""
        self._share_lost = share

    def _fail(self, fault: Fault) -> None:
        self._fault = fault
        self._switch()

    def _switch(self) -> None:
        self._switched.set()
        self._switched = asyncio.Event()

    # Traffic.

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._fault is Fault.RESET or len(self._links) >= self._most_links:
            return reset(to_client)
        self._handlers.add(task)
        try:
            await self._serve(from_client, to_client)
        except (OSError, asyncio.CancelledError):
            reset(to_client)  # a server that refuses, a client that left, or the proxy's end
        finally:
            self._handlers.discard(task)
        return None

    async def _serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        link = Link(from_client, to_client, *await asyncio.open_connection(*self._server_at))
        self._links.add(link)
        try:
            if self._fault is Fault.HALF_CLOSED:
                link.half_close()
            pumps = [asyncio.ensure_future(pump) for pump in (self._carry_requests(link), self._carry_replies(link))]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except asyncio.CancelledError:
            link.reset()  # before it is closed in peace
            raise
        finally:
            self._links.discard(link)
            link.end()

    async def _carry_requests(self, link: Link) -> None:
        while piece := await link.from_client.read(CHUNK):
            await self._travel(Direction.REQUESTS)
            if self._fault is not Fault.BLACK_HOLE:
                link.to_server.write(piece)
                await link.to_server.drain()

    async def _carry_replies(self, link: Link) -> None:
        while piece := await link.from_server.read(CHUNK):
            await self._travel(Direction.REPLIES)
            if link.deaf or self._fault is Fault.BLACK_HOLE:
                continue
            if self._is_lost():
                link.deaf = True
                if not self._silently:
                    return link.reset()
                continue
            link.to_client.write(piece)
            await link.to_client.drain()
        return None

    async def _travel(self, direction: Direction) -> None:
        least, most = self._latency
        if most:
            await asyncio.sleep(self._random.uniform(least, most))
        while direction in self._stalled:
            await self._switched.wait()

    def _is_lost(self) -> bool:
        if self._to_lose and self._spared:
            self._spared -= 1
            return False
        if self._to_lose:
            self._to_lose -= 1
        elif not (self._share_lost and self._random.random() < self._share_lost):
            return False
        self.replies_lost += 1
        return True


@asynccontextmanager
async def proxy_to(url: str, *, seed: int = 0, most_links: int = MOST_LINKS) -> AsyncIterator[tuple[FaultProxy, str]]:
    """A proxy to the server of a URL, and the same URL through it."""
    address = urlsplit(url)
    proxy = FaultProxy(address.hostname or "", address.port or 0, seed=seed, most_links=most_links)
    await proxy.start()
    try:
        yield proxy, urlunsplit(address._replace(netloc=f"127.0.0.1:{proxy.port}"))
    finally:
        await proxy.close()
