"""What the guards cost, as multiples of a PING: of the guards' own and of redis-py's.

The limits are meant for the PING "of the same client and callers". That is the guards' own: a batch of one PING, sent
as every guard is (``surefoot/reliability/exchange.py``). redis-py's, with hiredis and over a pool with the same
settings, takes longer, so that the same guard is a smaller multiple of it; it is what a caller of Redis who knows
nothing of the guards would compare with. Both are measured, and each multiple is held to the limit by itself.

One caller and Redis are kept on one core, where the system can do that: a PING takes about 50 µs there and 100 µs from
core to core, while what scripts and Python add stays the same, so that these are the larger multiples, and the kernel's
choice of cores does not decide what is measured.

Prints a table and writes ``benchmarks/results/guards.json``; with ``--json`` prints what it writes. The exit code says
that it was measured: 0 whatever the figures, since a busy machine must not fail a build; a miss is marked as one in
both.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis

from benchmarks.acts import LEASE, Act, Acts, Guard
from benchmarks.report import TIME, Result, main
from benchmarks.timing import ROUNDS, Replaying, Round, Spread, in_python, measured, one_core, rates, timed
from surefoot.embedded.redis import start_redis
from surefoot.reliability.connections import CALLERS, connected, pool
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.store import Step, Store

AT_ONCE = 32
BURST, BURSTS = 30, 10
TIMEOUT = timedelta(seconds=5)
PREFIX = "bench"
SENT = ("evalsha", "hgetall")
"""The commands of batches. Those within scripts are counted in their script's time."""
PINGS = ("own PING", "redis-py PING")


class Bench:
    """The guards on a Redis of their own."""

    def __init__(self, url: str, server: int) -> None:
        """``server`` is the process id of Redis."""
        self._server = server
        connections, address = connected(url, TIMEOUT)
        self._connections = Replaying(connections)
        self._acts = Acts(RedisGuards(Store(self._connections, address=address, timeout=TIMEOUT), PREFIX))
        self._another = RedisGuards.connect(url, prefix=PREFIX, timeout=TIMEOUT)
        self._redis = Redis.from_pool(pool(url, CALLERS, connect=TIMEOUT.total_seconds()))
        self._pings: tuple[Act, ...] = (self._own_ping, self._redis.ping)

    async def close(self) -> None:
        await self._acts.guards.close()
        await self._another.close()
        await self._redis.aclose()

    async def version(self) -> str:
        return str((await self._redis.info("server"))["redis_version"])

    async def _own_ping(self) -> None:
        await self._acts.guards.store.one(Step(("PING",), lambda _: None))

    async def results(self) -> list[Result]:
        found: list[Result] = []
        for guard in self._acts.all():
            with one_core(os.getpid(), self._server):
                found += _told(guard, 1, await measured(guard, self._pings, 1))
            found += _told(guard, AT_ONCE, await measured(guard, self._pings, AT_ONCE))
            found.append(Result(f"{guard.name}, inside Redis", await self._inside(guard), TIME))
            found.append(Result(f"{guard.name}, in Python", await in_python(guard, self._connections), TIME))
        return [*found, *await self._wake_ups(), *await self._throughput()]

    async def _wake_ups(self) -> list[Result]:
        rounds = zip(*[await self._wake_up() for _ in range(ROUNDS)], strict=True)
        spreads = [Spread.of(multiples) for multiples in rounds]
        name = "a follower's wake-up beyond its leader"
        return [Result(name, s.median, f"x {ping}", 5.0, spread=s) for ping, s in zip(PINGS, spreads, strict=True)]

    async def _inside(self, guard: Guard) -> float:
        """Microseconds that Redis itself spends on one act, by its command statistics."""
        spent = 0
        for _ in range(BURSTS):
            acts = [await guard.prepare() for _ in range(BURST)]
            await self._redis.config_resetstat()
            outcomes = [await act() for act in acts]
            stats: dict[str, dict[str, int]] = await self._redis.info("commandstats")
            spent += sum(stats.get(f"cmdstat_{name}", {"usec": 0})["usec"] for name in SENT)
            if guard.undo:
                for outcome in outcomes:
                    await guard.undo(outcome)
        return spent / (BURST * BURSTS)

    async def _wake_up(self) -> tuple[float, ...]:
        """From the leader's return to its follower's on another worker, in each PING; negative if that is first."""
        waits: list[float] = []
        pings: tuple[list[float], ...] = tuple([] for _ in PINGS)
        for _ in range(30):
            claim, _ = await self._acts.claimed()
            follower = asyncio.create_task(self._followed(claim.key))
            await asyncio.sleep(0.005)
            await self._acts.guards.complete_tool_call(claim, "done", None)
            completed = time.perf_counter()
            waits.append(await follower - completed)
            for taken, ping in zip(pings, self._pings, strict=True):
                taken.append((await timed(ping))[0])
        return tuple(statistics.median(waits) / statistics.median(taken) for taken in pings)

    async def _followed(self, key: str) -> float:
        await self._another.follow(key, LEASE)
        return time.perf_counter()

    async def _throughput(self) -> list[Result]:
        acts = (self._acts.claim_and_complete, self._acts.whole_call, *self._pings)
        pairs, whole, *pings = zip(*[await rates(acts, AT_ONCE) for _ in range(ROUNDS)], strict=True)
        pair, call = f"claims and completions, {AT_ONCE} callers", f"claim to report, whole, {AT_ONCE} callers"
        found: list[Result] = []
        for name, a_second in zip(PINGS, pings, strict=True):
            shares, calls = _shares(pairs, a_second), _shares(whole, a_second)
            found.append(Result(pair, shares.median, f"of {name}s/s", 0.30, at_least=True, spread=shares))
            found.append(Result(call, calls.median, f"of {name}s/s", spread=calls))
            found.append(Result(f"{name}s, {AT_ONCE} callers, a second", statistics.median(a_second), "/s"))
        found.append(Result(f"{pair}, a second", statistics.median(pairs), "/s"))
        found.append(Result(f"{call}, a second", statistics.median(whole), "/s"))
        return found


def _shares(rates: Sequence[float], of: Sequence[float]) -> Spread:
    return Spread.of([rate / base for rate, base in zip(rates, of, strict=True)])


def _told(guard: Guard, callers: int, rounds: list[Round]) -> list[Result]:
    name = f"{guard.name}, {callers} caller{'s' if callers > 1 else ''}"
    found: list[Result] = []
    for number, ping in enumerate(PINGS):
        spread = Spread.of([each.act / each.pings[number] for each in rounds])
        found.append(Result(name, spread.median, f"x {ping}", guard.limit, spread=spread))
    if callers == 1:
        found.append(Result(f"{guard.name}, in all", statistics.median(each.act for each in rounds) * 1e6, TIME))
        for number, ping in enumerate(PINGS):
            seconds = statistics.median(each.pings[number] for each in rounds)
            found.append(Result(f"{guard.name}, {ping}", seconds * 1e6, TIME))
    return found


async def measure() -> tuple[str, list[Result]]:
    """Redis's version, and every figure."""
    with tempfile.TemporaryDirectory() as folder:
        redis = await start_redis(log=Path(folder) / "redis.log", folder=None)
        bench = Bench(redis.url, redis.child.pid)
        try:
            return await bench.version(), await bench.results()
        finally:
            await bench.close()
            await redis.child.stop()


if __name__ == "__main__":
    main("guards", __doc__, measure)
