"""A back end that answers with the bytes it is told to, or in the rudest way: real TCP, no framework."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias

Behaviour: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]


class RudeServer:
    """Reads one request a connection, remembers it, and then behaves as told."""

    def __init__(self, behave: Behaviour) -> None:
        self.requests: list[str] = []
        self.url = ""
        self.at_work: set[asyncio.Task[None] | None] = set()
        self._behave = behave

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_work.add(asyncio.current_task())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
        self.requests.append(head + (await reader.readexactly(length)).decode())
        try:
            await self._behave(writer)
        except ConnectionError:
            return  # the client has hung up, as it may
        finally:
            writer.close()


@asynccontextmanager
async def rude_server(behave: Behaviour) -> AsyncIterator[RudeServer]:
    rude = RudeServer(behave)
    server = await asyncio.start_server(rude.serve, "127.0.0.1", 0)
    rude.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
    try:
        yield rude
    finally:
        server.close()
        for task in filter(None, rude.at_work):
            task.cancel()


def answers(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    """A proper answer."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
        head = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body)}", "Connection: close", *lines]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return behave


async def hangs(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def drips(writer: asyncio.StreamWriter) -> None:
    """Never silent for long, never done."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def resets(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    """Closes without a word."""


async def cuts(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id":')
    await writer.drain()


async def babbles(writer: asyncio.StreamWriter) -> None:
    writer.write(b"what?\r\n\r\n")
    await writer.drain()
