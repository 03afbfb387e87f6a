"""What runs leave and ask for, which is the same on any machine: histories, what is kept in Redis, and its traffic.

The histories of the floor and of Surefoot, inline and with payloads from 2 KiB on out of line, by the number of turns.
Bytes of a history are as the server counts them; bytes in Redis are the memory of the keys that a run has left, its
ledger and books among them. Round trips are counted on the way to Redis: times that a batch waits for its answer.

Prints a table and writes ``benchmarks/results/sizes.json``; with ``--json`` prints what it writes. The exit code says
that it was measured: 0 whatever the figures; a miss is marked as one in both.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.comparing import say
from benchmarks.crew import Crew, assembled
from benchmarks.histories import Written, written
from benchmarks.redis_traffic import counted
from benchmarks.report import Result, main
from benchmarks.starting import Bare, CutShort, Ours, Starter
from benchmarks.variants.surefoot import settings
from benchmarks.workloads import R3
from surefoot.client.connection import connect

FLOOR, OURS, OUT_OF_LINE = "floor", "surefoot", "surefoot, payloads out of line"
ABOVE = 2048
"""Bytes from which on payloads are kept out of line, where they are."""
TURNS = (10, 25, 50, 75, 100, 125, 150)
FEW_TURNS = (10, 20)


@dataclass(frozen=True)
class Left:
    """What one run has left."""

    history: Written
    kept: int
    """Bytes in Redis."""


@dataclass(frozen=True)
class Kind:
    """One of those whose histories are told."""

    name: str
    run: Starter
    keys: str = ""
    """The beginning of its keys in Redis, if it has any."""

    async def left(self, workload: str, redis: Redis) -> Left:
        say(f"{self.name}: {workload}")
        before = await self._kept(redis)
        try:
            id = await self.run(workload)
        except CutShort as cut:
            id = cut.id
        return Left(await written(self.run.client, id), await self._kept(redis) - before)

    async def _kept(self, redis: Redis) -> int:
        if not self.keys:
            return 0
        keys = [key async for key in redis.scan_iter(f"{self.keys}:*", count=1000)]
        return sum([await redis.memory_usage(key, samples=0) or 0 for key in keys])


async def kinds(crew: Crew) -> list[Kind]:
    client = await Client.connect(crew.temporal.address, data_converter=pydantic_data_converter)
    redis = ("--redis", crew.redis.url)
    floor, ours = await crew.hire("floor"), await crew.hire("surefoot", *redis)
    out_of_line = ("--external", str(ABOVE))
    other = await crew.hire("external", *redis, *out_of_line, module="benchmarks.variants.surefoot")
    reader = await connect(settings(crew.temporal.address, other.queue, crew.redis.url, external=ABOVE))
    return [
        Kind(FLOOR, Bare(client, floor.queue)),
        Kind(OURS, Ours(client, ours.queue), ours.queue),
        Kind(OUT_OF_LINE, Ours(reader, other.queue), other.queue),
    ]


def short(kind: Kind, left: Left) -> list[Result]:
    """Of R3."""
    ours = kind.name == OURS
    return [
        Result(f"R3, {kind.name}, events but of workflow tasks", left.history.events, "events", 26 if ours else None),
        Result(f"R3, {kind.name}, workflow tasks", left.history.tasks, "tasks", 7 if ours else None),
        Result(f"R3, {kind.name}, history", left.history.size / 1e6, "MB"),
    ]


LIMITS = {OURS: 0.70, OUT_OF_LINE: 0.15}
"""MB of history for 50 turns."""


def long(kind: Kind, turns: int, left: Left) -> list[Result]:
    """Of so many turns."""
    limit = LIMITS.get(kind.name) if turns == 50 else None
    name = f"L{turns}, {kind.name}"
    found = [Result(f"{name}, history", left.history.size / 1e6, "MB", limit)]
    if kind.keys:
        found.append(Result(f"{name}, kept in Redis", left.kept / 1e6, "MB"))
    if turns == max(TURNS):
        least = turns if kind.keys else None
        calls = left.history.activities // 2
        found.append(Result(f"{name}, tool calls done", calls, "calls", least, at_least=True))
        found.append(Result(f"{name}, histories", left.history.histories, "histories"))
    return found


def growth(kind: Kind, left: dict[int, Left]) -> list[Result]:
    """From 50 turns to 100."""
    if 50 not in left or 100 not in left:
        return []
    limit = 2.1 if kind.keys else None
    name = f"L100 to L50, {kind.name}"
    found = [Result(f"{name}, history", left[100].history.size / left[50].history.size, "x", limit)]
    if kind.keys:
        found.append(Result(f"{name}, kept in Redis", left[100].kept / left[50].kept, "x", limit))
    return found


async def histories(crew: Crew, redis: Redis, turns: Sequence[int]) -> list[Result]:
    found: list[Result] = []
    for kind in await kinds(crew):
        found += short(kind, await kind.left(R3.name, redis))
        left = {number: await kind.left(f"L{number}", redis) for number in turns}
        for number, one in left.items():
            found += long(kind, number, one)
        found += growth(kind, left)
    return found


async def traffic(crew: Crew) -> list[Result]:
    """What a run asks of Redis, when nothing else does."""
    found: list[Result] = []
    client = await Client.connect(crew.temporal.address, data_converter=pydantic_data_converter)
    async with counted(crew.redis.url) as way:
        member = await crew.hire("counted", "--redis", way.url, module="benchmarks.variants.surefoot")
        run = Ours(client, member.queue)
        await run(R3.name)  # loads the scripts
        for workload, runs, limit in ((R3.name, 10, 16.0), ("L50", 1, None)):
            say(f"traffic of {workload}")
            way.commands = way.round_trips = 0
            for _ in range(runs):
                await run(workload)
            name = f"{workload}, {OURS}"
            found.append(Result(f"{name}, round trips to Redis", way.round_trips / runs, "a run", limit))
            found.append(Result(f"{name}, commands to Redis", way.commands / runs, "a run"))
        await member.child.stop()
    return found


async def measure(turns: Sequence[int] = TURNS) -> tuple[str, list[Result]]:
    """Redis's version, and every figure."""
    with tempfile.TemporaryDirectory() as folder:
        async with assembled(Path(folder)) as crew, Redis.from_url(crew.redis.url) as redis:
            results = [*await traffic(crew), *await histories(crew, redis, turns)]
            return str((await redis.info("server"))["redis_version"]), results


if __name__ == "__main__":
    main("sizes", __doc__, measure, partial(measure, FEW_TURNS))
