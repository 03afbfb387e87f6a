"""How it is measured: act and PINGs together, in turns first, in rounds whose medians are compared."""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from benchmarks.acts import Act, Guard
from surefoot.reliability.connections import Connections, Entries
from surefoot.reliability.exchange import Reply, Words

ROUNDS = 5
SAMPLES = 300
"""Of the act and of each PING in a round, over all callers."""
TURNS, EACH = 4, 10
"""Turns of each act in a round of rates, and acts of each caller in a turn."""


@dataclass(frozen=True)
class Spread:
    """The median of rounds and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> "Spread":
        low, median, high = statistics.quantiles(rounds, n=4, method="inclusive")
        return cls(median, low, high)


async def timed(act: Act) -> tuple[float, object]:
    """Seconds, and what the act returned."""
    began = time.perf_counter()
    outcome = await act()
    return time.perf_counter() - began, outcome


@dataclass(frozen=True)
class Round:
    """Medians of one round, in seconds."""

    act: float
    pings: tuple[float, ...]
    """Of each PING, in the order given."""


async def measured(guard: Guard, pings: Sequence[Act], callers: int, samples: int = SAMPLES) -> list[Round]:
    return [await _round(guard, pings, callers, samples) for _ in range(ROUNDS)]


async def _round(guard: Guard, pings: Sequence[Act], callers: int, samples: int) -> Round:
    taken: list[list[float]] = [[] for _ in (guard, *pings)]

    async def caller() -> None:
        for number in range(max(1, samples // callers)):
            acts = [await guard.prepare(), *pings]
            for turn in range(len(acts)):
                which = (number + turn) % len(acts)
                seconds, outcome = await timed(acts[which])
                taken[which].append(seconds)
                if which == 0 and guard.undo:
                    await guard.undo(outcome)

    await at_once(caller, callers)
    act, *rest = map(statistics.median, taken)
    return Round(act, tuple(rest))


@contextmanager
def one_core(*processes: int) -> Iterator[None]:
    """Keep processes, by id, on one core; on a system that cannot, they stay as they are."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = {process: os.sched_getaffinity(process) for process in processes}
    core = min(set.intersection(*before.values()))
    for process in processes:
        os.sched_setaffinity(process, {core})
    try:
        yield
    finally:
        for process, cores in before.items():
            os.sched_setaffinity(process, cores)


async def at_once(doing: Callable[[], Awaitable[None]], callers: int) -> None:
    await asyncio.gather(*(doing() for _ in range(callers)))


async def rates(acts: Sequence[Act], callers: int) -> list[float]:
    """Of each act, how often a second so many callers do it; the acts take turns, so that all meet the same load."""
    seconds = [0.0 for _ in acts]
    for _ in range(TURNS):
        for number, act in enumerate(acts):
            seconds[number] += (await timed(partial(at_once, partial(_again, act), callers)))[0]
    return [callers * TURNS * EACH / spent for spent in seconds]


async def _again(act: Act) -> None:
    for _ in range(EACH):
        await act()


class Replaying(Connections):
    """Connections that answer, once told to, as they did last: what is left is what Python does."""

    def __init__(self, real: Connections) -> None:
        self._real = real
        self._last: list[Reply] = []
        self.instant = False

    async def batch(self, commands: Sequence[Words]) -> list[Reply]:
        if not self.instant:
            self._last = await self._real.batch(commands)
        return list(self._last)

    async def pop(self, key: str, within: timedelta) -> str | None:
        return await self._real.pop(key, within)

    async def entries(self, stream: str, after: str, within: timedelta) -> Entries:
        return await self._real.entries(stream, after, within)

    async def close(self) -> None:
        await self._real.close()


async def in_python(guard: Guard, connections: Replaying) -> float:
    """Median microseconds of an act whose replies come at once."""
    act = await guard.prepare()
    outcome = await act()
    connections.instant = True
    found = statistics.median([(await timed(act))[0] for _ in range(SAMPLES)]) * 1e6
    connections.instant = False
    if guard.undo:
        await guard.undo(outcome)
    return found
