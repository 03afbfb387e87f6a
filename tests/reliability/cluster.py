"""A cluster of three Redis servers of this machine, without replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from surefoot.embedded import binaries
from surefoot.embedded.ports import HOST, free_port
from surefoot.embedded.processes import Child
from surefoot.embedded.retries import on_free_ports
from tests.support.redis import ask_redis

NODES = 3
SLOTS = 16384
BUS = 10_000
"""What a node's port for the others is above its port for clients."""
START = timedelta(seconds=20)


def _port() -> int:
    while (port := free_port()) + BUS > 65_535:
        continue
    return port


async def _node(folder: Path) -> tuple[Child, int]:
    port = _port()
    place = folder / str(port)
    place.mkdir(parents=True)
    options = f"--bind {HOST} --port {port} --dir {place} --appendonly no --cluster-enabled yes"
    options += " --cluster-node-timeout 2000 --cluster-require-full-coverage no"
    child = await Child.start("Redis", [binaries.redis_server(), *options.split(), "--save", ""], log=place / "log")
    await child.ready(lambda: _says(port, "PING", "+PONG"), within=START)
    return child, port


async def _says(port: int, command: str, answer: str) -> bool:
    try:
        return answer in await ask_redis(f"redis://{HOST}:{port}", command)
    except OSError:
        return False


async def _joined(port: int) -> bool:
    """Whether the node knows who has each slot."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"CLUSTER INFO\r\n")
    told = (await reader.read(4096)).decode()
    writer.close()
    await writer.wait_closed()
    return "cluster_state:ok" in told and f"cluster_size:{NODES}" in told


async def _introduced(ports: list[int]) -> None:
    for number, port in enumerate(ports):
        mine = range(number * SLOTS // NODES, (number + 1) * SLOTS // NODES)
        slots = " ".join(str(slot) for slot in mine)
        told = [f"CLUSTER ADDSLOTS {slots}", f"CLUSTER SET-CONFIG-EPOCH {number + 1}"]
        for command in [*told, *(f"CLUSTER MEET {HOST} {other}" for other in ports[:number])]:
            assert await _says(port, command, "+OK"), command


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[str]:
    """Its address, once every node knows the others."""
    async with AsyncExitStack() as stack:
        nodes = await asyncio.gather(*(on_free_ports(lambda: _node(folder)) for _ in range(NODES)))
        for child, _ in nodes:
            stack.push_async_callback(child.stop)
        await _introduced([port for _, port in nodes])
        for child, port in nodes:
            await child.ready(partial(_joined, port), within=START)
        yield f"redis+cluster://{HOST}:{nodes[0][1]}"
