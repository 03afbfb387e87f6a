"""What the guards cost, as multiples of a PING.

The PING is redis-py's own, with hiredis, over a pool with the settings of the guards' own connections. Prints a table
and writes ``benchmarks/results/guards.json``; with ``--json`` prints what it writes. The exit code says that it was
measured: 0 whatever the figures, since a busy machine must not fail a build; a miss is marked as one in both.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis

from benchmarks.acts import LEASE, Acts, Guard
from benchmarks.report import TIME, Result, context, show, write
from benchmarks.timing import ROUNDS, Replaying, Round, Spread, in_python, measured, rates, timed
from surefoot.embedded.redis import start_redis
from surefoot.reliability.connections import CALLERS, connected, pool
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.store import Store

AT_ONCE = 32
BURST, BURSTS = 30, 10
TIMEOUT = timedelta(seconds=5)
PREFIX = "bench"
SENT = ("evalsha", "hgetall")
"""The commands of batches. Those within scripts are counted in their script's time."""


class Bench:
    """The guards on a Redis of their own."""

    def __init__(self, url: str) -> None:
        connections, address = connected(url, TIMEOUT)
        self._connections = Replaying(connections)
        self._acts = Acts(RedisGuards(Store(self._connections, address=address, timeout=TIMEOUT), PREFIX))
        self._another = RedisGuards.connect(url, prefix=PREFIX, timeout=TIMEOUT)
        self._redis = Redis.from_pool(pool(url, CALLERS, connect=TIMEOUT.total_seconds()))

    async def close(self) -> None:
        await self._acts.guards.close()
        await self._another.close()
        await self._redis.aclose()

    async def version(self) -> str:
        return str((await self._redis.info("server"))["redis_version"])

    async def results(self) -> list[Result]:
        found: list[Result] = []
        for guard in self._acts.all():
            for callers in (1, AT_ONCE):
                found += _told(guard, callers, await measured(guard, self._redis.ping, callers))
            found.append(Result(f"{guard.name}, inside Redis", await self._inside(guard), TIME))
            found.append(Result(f"{guard.name}, in Python", await in_python(guard, self._connections), TIME))
        wake_ups = Spread.of([await self._wake_up() for _ in range(ROUNDS)])
        found.append(Result("a follower's wake-up beyond its leader", wake_ups.median, "x PING", 5.0, spread=wake_ups))
        return [*found, *await self._throughput()]

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

    async def _wake_up(self) -> float:
        """From the leader's return to its follower's on another worker, in PINGs; negative if that one is first."""
        waits, pings = [], []
        for _ in range(30):
            claim, _ = await self._acts.claimed()
            follower = asyncio.create_task(self._followed(claim.key))
            await asyncio.sleep(0.005)
            await self._acts.guards.complete_tool_call(claim, "done", None)
            completed = time.perf_counter()
            waits.append(await follower - completed)
            pings.append((await timed(self._redis.ping))[0])
        return statistics.median(waits) / statistics.median(pings)

    async def _followed(self, key: str) -> float:
        await self._another.follow(key, LEASE)
        return time.perf_counter()

    async def _throughput(self) -> list[Result]:
        acts = (self._redis.ping, self._acts.claim_and_complete, self._acts.whole_call)
        rounds = [await rates(acts, AT_ONCE) for _ in range(ROUNDS)]
        shares = Spread.of([pairs / pings for pings, pairs, _ in rounds])
        calls = Spread.of([calls / pings for pings, _, calls in rounds])
        pings, pairs, whole = (statistics.median(column) for column in zip(*rounds, strict=True))
        pair, call = f"claims and completions, {AT_ONCE} callers", f"claim to report, whole, {AT_ONCE} callers"
        return [
            Result(pair, shares.median, "of PINGs/s", 0.30, at_least=True, spread=shares),
            Result(call, calls.median, "of PINGs/s", spread=calls),
            Result(f"{pair}, a second", pairs, "/s"),
            Result(f"{call}, a second", whole, "/s"),
            Result(f"PINGs, {AT_ONCE} callers, a second", pings, "/s"),
        ]


def _told(guard: Guard, callers: int, rounds: list[Round]) -> list[Result]:
    name = f"{guard.name}, {callers} caller{'s' if callers > 1 else ''}"
    spread = Spread.of([each.act / each.ping for each in rounds])
    found = [Result(name, spread.median, "x PING", guard.limit, spread=spread)]
    if callers == 1:
        found.append(Result(f"{guard.name}, in all", statistics.median(each.act for each in rounds) * 1e6, TIME))
        found.append(Result(f"{guard.name}, its PING", statistics.median(each.ping for each in rounds) * 1e6, TIME))
    return found


async def measure() -> tuple[str, list[Result]]:
    """Redis's version, and every figure."""
    with tempfile.TemporaryDirectory() as folder:
        redis = await start_redis(log=Path(folder) / "redis.log", folder=None)
        bench = Bench(redis.url)
        try:
            return await bench.version(), await bench.results()
        finally:
            await bench.close()
            await redis.child.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print what is written, instead of a table")
    as_json = parser.parse_args().json
    where = context()
    version, results = asyncio.run(measure())
    path = write("guards", where.with_versions(**{"redis-server": version}), results)
    if as_json:
        print(path.read_text(), end="")
    else:
        show("Guards", results)
        print(f"Written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
