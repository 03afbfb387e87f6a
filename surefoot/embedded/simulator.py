"""The simulator as a child process."""

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from surefoot.embedded.ports import HOST, free_port, holds
from surefoot.embedded.processes import Child
from surefoot.embedded.python import environment, python
from surefoot.embedded.retries import on_free_ports

START = timedelta(seconds=30)


@dataclass(frozen=True)
class Simulator:
    """A running simulator of models and back ends."""

    child: Child
    url: str


async def start_simulator(*, log: Path) -> Simulator:
    """Start a simulator on a free port, with an empty world."""
    return await on_free_ports(lambda: _start(log))


async def _start(log: Path) -> Simulator:
    port = free_port()
    command = python("-m", "surefoot.simulator", "--port", str(port))
    child = await Child.start("simulator", command, log=log, environment=environment(os.environ))
    await child.ready(lambda: _healthy(child, port), within=START)
    return Simulator(child, f"http://{HOST}:{port}")


async def _healthy(child: Child, port: int) -> bool:
    if not holds(child.pid, port):
        return False
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        return b" 200 " in await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()
