"""A redis-server as a child process."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from surefoot.embedded import binaries
from surefoot.embedded.ports import HOST, free_port, holds
from surefoot.embedded.processes import Child
from surefoot.embedded.retries import on_free_ports

START = timedelta(seconds=20)


@dataclass(frozen=True)
class Redis:
    """A running server; its append-only file, if it has a folder, outlives it."""

    child: Child
    url: str


async def start_redis(*, log: Path, folder: Path | None) -> Redis:
    """Start a server that evicts nothing, on a free port, with what the folder kept; in memory without a folder."""
    return await on_free_ports(lambda: _start(log, folder))


async def _start(log: Path, folder: Path | None) -> Redis:
    port = free_port()
    child = await Child.start("Redis", [binaries.redis_server(), *_options(port, folder)], log=log)
    await child.ready(lambda: _answers(child, port), within=START)
    return Redis(child, f"redis://{HOST}:{port}/0")


def _options(port: int, folder: Path | None) -> list[str]:
    options = [
        "--bind",
        HOST,
        "--port",
        str(port),
        "--save",
        "",
        "--maxmemory-policy",
        "noeviction",
        "--daemonize",
        "no",
    ]
    if folder is None:
        return [*options, "--appendonly", "no"]
    folder.mkdir(parents=True, exist_ok=True)
    return [*options, "--appendonly", "yes", "--appendfsync", "everysec", "--dir", str(folder.absolute())]


async def _answers(child: Child, port: int) -> bool:
    """Whether our own server answers, and has read its append-only file."""
    if not holds(child.pid, port):
        return False
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(b"PING\r\n")
        return (await reader.readline()).startswith(b"+PONG")
    finally:
        writer.close()
        await writer.wait_closed()
