"""How variants are compared: in rounds in which they take turns, so that all meet the same load.

Where one runs alone they take turns run by run, where 20 are in flight block by block. A ratio is of one round, and
what is told is the median of the rounds.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from benchmarks.crew import Member
from benchmarks.starting import Starter
from benchmarks.timing import timed
from benchmarks.workloads import R3

IN_FLIGHT = 20
SHORT = R3.name


@dataclass(frozen=True)
class Pace:
    """How much is measured."""

    rounds: int
    alone: int
    """Runs of each variant in a round, one after the other."""
    block: int
    """Runs of each variant in a round, 20 at a time."""
    starts: int
    """Of the command line."""
    within: timedelta = timedelta(minutes=4)
    """After which no further round begins, where the machine is busy: three are made in any case."""


LEAST = 3
FULL = Pace(rounds=9, alone=20, block=40, starts=11)
QUICK = Pace(rounds=2, alone=5, block=20, starts=3)


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

    @property
    def p50(self) -> float:
        """Seconds of a run alone."""
        return statistics.median(self.seconds)


def say(words: str) -> None:
    """Progress, for those who wait."""
    print(words, file=sys.stderr, flush=True)


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
    until = time.monotonic() + pace.within.total_seconds()
    for number in range(pace.rounds):
        if number >= LEAST and time.monotonic() > until:
            break
        rounds = [Round([]) for _ in variants]
        await one_after_another(variants, pace, rounds)
        for turn in range(len(variants)):
            which = (number + turn) % len(variants)
            await block(variants[which], pace.block, rounds[which])
        for kept, round in zip(found, rounds, strict=True):
            kept.append(round)
        p50 = ", ".join(f"{v.name} {r.p50 * 1e3:.0f} ms {r.rate:.1f}/s" for v, r in zip(variants, rounds, strict=True))
        say(f"round {number + 1} of {pace.rounds}: {p50}")
    return found
