"""The servers of a test session: each starts when a test first asks, once for all test processes."""

import asyncio
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from surefoot.embedded.processes import Child
from surefoot.embedded.redis import start_redis
from surefoot.embedded.simulator import start_simulator
from surefoot.embedded.temporal import start_temporal
from surefoot.errors import SurefootError
from tests.support.s3 import start_s3

SOCKET_VARIABLE = "TEST_SERVERS_SOCKET"
"""Where test processes ask for an address."""


class SessionServers:
    """Runs in a thread of the pytest process that everything else descends from.

    The servers die with that thread, so none is left behind however the session ends.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="surefoot-tests-"))
        self._children: list[Child] = []
        self._addresses: dict[str, asyncio.Task[str]] = {}
        self._starters: Mapping[str, Callable[[], Awaitable[str]]] = {
            "redis": self._redis,
            "temporal": self._temporal,
            "simulator": self._simulator,
            "s3": self._s3,
        }
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()], daemon=True)

    def start(self) -> None:
        """Listen, and tell the test processes where."""
        os.environ[SOCKET_VARIABLE] = str(self._folder / "socket")
        self._thread.start()
        self._listening.wait()

    def stop(self) -> None:
        """End every server and remove its traces."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._folder)

    async def _serve(self) -> None:
        server = await asyncio.start_unix_server(self._answer, os.environ[SOCKET_VARIABLE])
        self._listening.set()
        async with server:
            await self._end.wait()
        await asyncio.gather(*(child.stop() for child in self._children))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = (await reader.readline()).decode().strip()
        if name not in self._addresses:
            self._addresses[name] = asyncio.ensure_future(self._starters[name]())
        try:
            answer = {"address": await self._addresses[name]}
        except SurefootError as error:
            answer = {"error": str(error)}
        with suppress(ConnectionError):  # the test process may be gone
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _redis(self) -> str:
        redis = await start_redis(log=self._folder / "redis.log", folder=None)
        self._children.append(redis.child)
        return redis.url

    async def _temporal(self) -> str:
        temporal = await start_temporal(log=self._folder / "temporal.log", database=None, ui=False)
        self._children.append(temporal.child)
        return temporal.address

    async def _simulator(self) -> str:
        simulator = await start_simulator(log=self._folder / "simulator.log")
        self._children.append(simulator.child)
        return simulator.url

    async def _s3(self) -> str:
        child, url = await start_s3(log=self._folder / "s3.log")
        self._children.append(child)
        return url


def address_of(name: str) -> str:
    """The address of the session's ``redis``, ``temporal``, ``simulator`` or ``s3``, which starts if it has not yet."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.environ[SOCKET_VARIABLE])
        client.sendall(f"{name}\n".encode())
        answer: dict[str, str] = json.loads(client.makefile().readline())
    if error := answer.get("error"):
        raise RuntimeError(f"the session's {name!r} did not start: {error}")
    return answer["address"]
