"""What runs cost: Surefoot with everything on, and without its guards, as multiples of a bare loop on Temporal.

All variants do the same turns and the same tool calls on the same servers; each has a worker process of its own, and
one process starts all their runs. In each round they take turns, run by run where one runs alone, block by block where
20 are in flight; a ratio is of one round, and what is told is the median of the rounds.

Prints a table and writes ``benchmarks/results/runs.json``; with ``--json`` prints what it writes. The exit code says
that it was measured: 0 whatever the figures; a miss is marked as one in both.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.crew import Crew, Member, assembled
from benchmarks.histories import Written, written
from benchmarks.redis_traffic import counted
from benchmarks.report import Result, main
from benchmarks.starting import Bare, Ours, Starter
from benchmarks.timing import Spread, timed

FLOOR, OURS, UNGUARDED = "floor", "surefoot", "surefoot, guards off"
IN_FLIGHT = 20
SHORT, LONG, LONGER = "R3", "L50", "L100"


@dataclass(frozen=True)
class Pace:
    """How much is measured."""

    rounds: int
    alone: int
    """Runs of each variant in a round, one after the other."""
    block: int
    """Runs of each variant in a round, 20 at a time."""


FULL = Pace(rounds=7, alone=30, block=60)
QUICK = Pace(rounds=2, alone=5, block=20)


@dataclass(frozen=True)
class Variant:
    """One of those that are compared."""

    name: str
    member: Member
    run: Starter


@dataclass
class Round:
    """Of one variant in one round."""

    seconds: list[float]
    """Of each run alone."""
    cpu_alone: float = 0
    """Seconds of the worker, for each run."""
    rate: float = 0
    """Runs a second, 20 in flight."""
    cpu: float = 0
    """Seconds of the worker, for each run of 20 in flight."""


def say(words: str) -> None:
    """Progress, for those who wait."""
    print(words, file=sys.stderr, flush=True)


async def hired(crew: Crew, client: Client) -> list[Variant]:
    """The floor comes first: the others are its multiples."""
    floor = await crew.hire("floor")
    ours = await crew.hire("surefoot")
    unguarded = await crew.hire("unguarded")
    return [
        Variant(FLOOR, floor, Bare(client, floor.queue)),
        Variant(OURS, ours, Ours(client, ours.queue)),
        Variant(UNGUARDED, unguarded, Ours(client, unguarded.queue)),
    ]


async def one_after_another(variants: Sequence[Variant], pace: Pace, rounds: Sequence[Round]) -> None:
    """Alone, the variants in turns, each as often the first as the others."""
    before = [variant.member.cpu for variant in variants]
    for number in range(pace.alone):
        for turn in range(len(variants)):
            which = (number + turn) % len(variants)
            seconds, _ = await timed(partial(variants[which].run, SHORT))
            rounds[which].seconds.append(seconds)
    for variant, round, earlier in zip(variants, rounds, before, strict=True):
        round.cpu_alone = (variant.member.cpu - earlier) / pace.alone


async def block(variant: Variant, runs: int, round: Round) -> None:
    """So many runs, 20 in flight all the time but at the end."""
    left = iter(range(runs))

    async def caller() -> None:
        for _ in left:
            await variant.run(SHORT)

    cpu, began = variant.member.cpu, time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(IN_FLIGHT)))
    round.rate = runs / (time.perf_counter() - began)
    round.cpu = (variant.member.cpu - cpu) / runs


async def measured(variants: Sequence[Variant], pace: Pace) -> list[list[Round]]:
    """The rounds of each variant."""
    found: list[list[Round]] = [[] for _ in variants]
    for variant in variants:
        await block(variant, 2 * IN_FLIGHT, Round([]))  # a new worker imports, connects and fills its caches
    for number in range(pace.rounds):
        rounds = [Round([]) for _ in variants]
        await one_after_another(variants, pace, rounds)
        for turn in range(len(variants)):
            which = (number + turn) % len(variants)
            await block(variants[which], pace.block, rounds[which])
        for kept, round in zip(found, rounds, strict=True):
            kept.append(round)
        p50 = ", ".join(
            f"{v.name} {_p50(r) * 1e3:.0f} ms {r.rate:.1f}/s" for v, r in zip(variants, rounds, strict=True)
        )
        say(f"round {number + 1} of {pace.rounds}: {p50}")
    return found


def _p50(round: Round) -> float:
    return statistics.median(round.seconds)


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[98]


def _ratio(name: str, ours: Sequence[float], floor: Sequence[float], limit: float | None, least: bool) -> Result:
    spread = Spread.of([one / base for one, base in zip(ours, floor, strict=True)])
    return Result(name, spread.median, "x floor", limit, at_least=least, spread=spread)


@dataclass(frozen=True)
class Figure:
    """Something that rounds are compared in."""

    name: str
    of: Callable[[Round], float]
    unit: str
    scale: float = 1
    limit: float | None = None
    """Of Surefoot with everything on, as a multiple of the floor's."""
    at_least: bool = False


FIGURES = (
    Figure("R3 alone, p50", _p50, "ms", 1e3, 1.25),
    Figure("R3 alone, worker's CPU a run", lambda round: round.cpu_alone, "ms", 1e3, 1.5),
    Figure("R3, 20 in flight, throughput", lambda round: round.rate, "runs/s", 1, 0.80, at_least=True),
    Figure("R3, 20 in flight, worker's CPU a run", lambda round: round.cpu, "ms", 1e3, 1.5),
)


def compared(variants: Sequence[Variant], rounds: Sequence[Sequence[Round]]) -> list[Result]:
    """Each figure as a multiple of the floor's, and as it was."""
    found: list[Result] = []
    for figure in FIGURES:
        values = [[figure.of(round) for round in kept] for kept in rounds]
        for variant, ours in zip(variants[1:], values[1:], strict=True):
            limit = figure.limit if variant.name == OURS else None
            found.append(_ratio(f"{figure.name}, {variant.name}", ours, values[0], limit, figure.at_least))
        for variant, ours in zip(variants, values, strict=True):
            median = statistics.median(ours) * figure.scale
            found.append(Result(f"{figure.name}, {variant.name}", median, figure.unit))
    for variant, kept in zip(variants, rounds, strict=True):
        seconds = [second for round in kept for second in round.seconds]
        found.append(Result(f"R3 alone, p99, {variant.name}", _p99(seconds) * 1e3, "ms"))
    found += [Result(f"peak memory of the worker, {v.name}", v.member.peak, "MB") for v in variants]
    return found


async def histories(client: Client, variants: Sequence[Variant]) -> list[Result]:
    """Events and bytes."""
    found: list[Result] = []
    for variant in variants:
        ours = variant.name == OURS
        kept: dict[str, Written] = {}
        for workload in (SHORT, LONG, LONGER):
            say(f"{variant.name}: the history of {workload}")
            kept[workload] = one = await written(client, await variant.run(workload))
            few = ours and workload == SHORT
            name = f"{workload}, {variant.name}"
            found.append(Result(f"{name}, events but of workflow tasks", one.events, "events", 26 if few else None))
            found.append(Result(f"{name}, workflow tasks", one.tasks, "tasks", 7 if few else None))
            limit = 0.70 if ours and workload == LONG else None
            found.append(Result(f"{name}, history", one.size / 1e6, "MB", limit))
        growth = kept[LONGER].size / kept[LONG].size
        found.append(Result(f"{LONGER} to {LONG}, {variant.name}, history", growth, "x", 2.1 if ours else None))
    return found


async def traffic(crew: Crew, client: Client) -> list[Result]:
    """What a run asks of Redis, when nothing else does."""
    found: list[Result] = []
    async with counted(crew.redis.url) as way:
        member = await crew.hire("surefoot", "--redis", way.url, queue="counted")
        run = Ours(client, member.queue)
        await run(SHORT)
        for workload, runs, limit in ((SHORT, 10, 16.0), (LONG, 1, None)):
            way.commands = way.round_trips = 0
            for _ in range(runs):
                await run(workload)
            found.append(Result(f"{workload}, surefoot, round trips to Redis", way.round_trips / runs, "a run", limit))
            found.append(Result(f"{workload}, surefoot, commands to Redis", way.commands / runs, "a run"))
        await member.child.stop()
    return found


async def measure(pace: Pace = FULL) -> tuple[str, list[Result]]:
    """Redis's version, and every figure."""
    with tempfile.TemporaryDirectory() as folder:
        async with assembled(Path(folder)) as crew, Redis.from_url(crew.redis.url) as redis:
            client = await Client.connect(crew.temporal.address, data_converter=pydantic_data_converter)
            variants = await hired(crew, client)
            rounds = await measured(variants, pace)
            results = compared(variants, rounds)
            results += await histories(client, variants)
            results += await traffic(crew, client)
            return str((await redis.info("server"))["redis_version"]), results


if __name__ == "__main__":
    main("runs", __doc__, measure, partial(measure, QUICK))
