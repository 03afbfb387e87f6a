"""What the guards cost, as multiples of a PING by the same client, sampled in pairs in the same loop."""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis

from benchmarks.report import Result, context, show, write
from surefoot.contracts.breakers import BreakerPolicy, Verdict
from surefoot.contracts.budgets import NANOS_PER_DOLLAR, BudgetLimit, Scope, ScopeKind
from surefoot.contracts.tools import Claim
from surefoot.embedded.redis import start_redis
from surefoot.ports import Proceed, Reservation, Rung
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.store import Store

ROUNDS = 5
SAMPLES = 300
CALLERS = 32
LEASE = timedelta(seconds=30)
POLICY = BreakerPolicy()
SCOPES = tuple(
    Scope(kind=kind, subject="bench", budget=BudgetLimit(limit=1_000 * NANOS_PER_DOLLAR)) for kind in ScopeKind
)
TOOLS = tuple(f"tool_{number}" for number in range(8))
RUNGS = tuple(Rung(f"gemini:model-{number}", 1_000_000 // (number + 1)) for number in range(3))

Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Guard:
    """Something to measure: ``prepare`` makes the act for one sample, and is not timed itself."""

    name: str
    limit: float
    prepare: Callable[[], Awaitable[Act]]


class Bench:
    """The guards on a Redis of their own."""

    def __init__(self, store: Store, ping: Redis) -> None:
        self.guards = RedisGuards(store, "bench")
        self.store = store
        self.ping = ping
        self._numbers = itertools.count()

    def guard_list(self) -> list[Guard]:
        return [
            Guard("guardrail check, 4 scopes, 3 rungs, 8 tools", 2.5, self._check),
            Guard("admit", 1.6, self._admit),
            Guard("report", 1.6, self._report),
            Guard("claim", 1.6, self._claim),
            Guard("complete", 1.6, self._complete),
            Guard("replay of a done claim", 1.5, self._replay),
            Guard("claim and admit, one batch", 2.2, self._begin),
            Guard("complete and report, one batch", 2.2, self._end),
        ]

    def _new(self) -> str:
        return str(next(self._numbers))

    async def _check(self) -> Act:
        wanted = Reservation(
            hold_id=self._new(), tenant="bench", scopes=SCOPES, rungs=RUNGS, output_tokens=1024, breakers=TOOLS
        )
        return lambda: self.guards.reserve(wanted)

    async def _admit(self) -> Act:
        step = self.guards.breaker.admit_step("admit", POLICY, self._new())
        return lambda: self.store.one(step)

    async def _report(self) -> Act:
        proceed = await self._proceed(self._new())
        step = self.guards.breaker.report_step(proceed.permit, Verdict.SUCCESS, None)
        return lambda: self.store.one(step)

    async def _claim(self) -> Act:
        step = self.guards.ledger.claim_step(
            self._new(), owner="bench", attempt=1, lease=LEASE, mark_sent=True, lands_within=LEASE
        )
        return lambda: self.store.one(step)

    async def _complete(self) -> Act:
        step = self.guards.ledger.complete_step(await self._claimed(), {"order": "A-1001"})
        return lambda: self.store.one(step)

    async def _replay(self) -> Act:
        claim = await self._claimed()
        await self.guards.complete_tool_call(claim, {"order": "A-1001"}, None)
        step = self.guards.ledger.claim_step(
            claim.key, owner="another", attempt=1, lease=LEASE, mark_sent=True, lands_within=LEASE
        )
        return lambda: self.store.one(step)

    async def _begin(self) -> Act:
        key = self._new()
        return lambda: self._proceed(key)

    async def _end(self) -> Act:
        proceed = await self._proceed(self._new())
        return lambda: self.guards.complete_tool_call(proceed.claim, {"order": "A-1001"}, proceed.permit)

    async def _proceed(self, key: str) -> Proceed:
        entry = await self.guards.begin_tool_call(
            tool="bench",
            breaker=POLICY,
            effect_key=key,
            owner=f"owner-{key}",
            attempt=1,
            lease=LEASE,
            mark_sent=True,
            lands_within=LEASE,
        )
        if not isinstance(entry, Proceed):
            raise TypeError(f"expected to proceed, got {entry!r}")
        return entry

    async def _claimed(self) -> Claim:
        claim = (await self._proceed(self._new())).claim
        if claim is None:
            raise TypeError("a keyed call has a claim")
        return claim

    async def multiples(self, guard: Guard, callers: int) -> list[float]:
        """The guard's median over PING's, for each round."""
        return [await self._round(guard, callers) for _ in range(ROUNDS)]

    async def _round(self, guard: Guard, callers: int) -> float:
        pings: list[float] = []
        acts: list[float] = []

        async def caller() -> None:
            for _ in range(SAMPLES // callers or 1):
                act = await guard.prepare()
                pings.append(await _timed(self.ping.ping))
                acts.append(await _timed(act))

        await asyncio.gather(*(caller() for _ in range(callers)))
        return statistics.median(acts) / statistics.median(pings)

    async def inside(self, guard: Guard) -> float:
        """Microseconds that Redis itself spends on one act, by its command statistics."""
        acts = [await guard.prepare() for _ in range(SAMPLES)]
        await self.ping.config_resetstat()
        for act in acts:
            await act()
        stats: dict[str, dict[str, int]] = await self.ping.info("commandstats")
        return sum(row["usec"] for name, row in stats.items() if not name.startswith("cmdstat_config")) / SAMPLES

    async def wake_up(self) -> float:
        """From the leader's return to the follower's, as a multiple of PING; 0 where the follower is first."""
        waits, pings = [], []
        for _ in range(50):
            claim = await self._claimed()
            follower = asyncio.create_task(self._followed(claim.key))
            await asyncio.sleep(0.005)
            await self.guards.complete_tool_call(claim, "done", None)
            completed = time.perf_counter()
            waits.append(await follower - completed)
            pings.append(await _timed(self.ping.ping))
        return max(0.0, statistics.median(waits) / statistics.median(pings))

    async def _followed(self, key: str) -> float:
        await self.guards.follow(key, LEASE)
        return time.perf_counter()

    async def throughput(self) -> float:
        """Claims and completions a second, as a share of the PINGs a second of as many callers."""

        async def pair() -> None:
            claim = await self._claimed()
            await self.guards.complete_tool_call(claim, "done", None)

        shares = []
        for _ in range(ROUNDS):
            pings, pairs = await _rate(self.ping.ping), await _rate(pair)
            shares.append(pairs / pings)
        return statistics.median(shares)


async def _timed(act: Act) -> float:
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began


async def _rate(act: Act) -> float:
    each = 40

    async def caller() -> None:
        for _ in range(each):
            await act()

    spent = await _timed(lambda: asyncio.gather(*(caller() for _ in range(CALLERS))))
    return CALLERS * each / spent


async def measure(url: str) -> tuple[str, list[Result]]:
    """Redis's version, and every figure."""
    store, ping = Store.connect(url, timeout=timedelta(seconds=5)), Redis.from_url(url, protocol=2)
    bench = Bench(store, ping)
    try:
        results = []
        for guard in bench.guard_list():
            for callers in (1, CALLERS):
                rounds = await bench.multiples(guard, callers)
                low, _, high = statistics.quantiles(rounds, n=4)
                name = f"{guard.name}, {callers} {'caller' if callers == 1 else 'callers'}"
                limit = guard.limit if callers == 1 else None
                results.append(Result(name, statistics.median(rounds), "x PING", limit))
                results.append(Result(f"{name}, lower quartile", low, "x PING"))
                results.append(Result(f"{name}, upper quartile", high, "x PING"))
            results.append(Result(f"{guard.name}, inside Redis", await bench.inside(guard), "µs"))
        results.append(Result("a follower's wake-up beyond its leader", await bench.wake_up(), "x PING", 5.0))
        share = await bench.throughput()
        results.append(Result(f"claims and completions, {CALLERS} callers", share, "of PINGs/s", 0.30, at_least=True))
        return (await ping.info("server"))["redis_version"], results
    finally:
        await store.close()
        await ping.aclose()


async def main() -> None:
    where = context()
    with tempfile.TemporaryDirectory() as folder:
        redis = await start_redis(log=Path(folder) / "redis.log", folder=None)
        try:
            version, results = await measure(redis.url)
        finally:
            await redis.child.stop()
    show("Guards", [result for result in results if not result.name.endswith(" quartile")])
    path = write("guards", context(**{**where.versions, "redis-server": version}), results)
    print(f"Written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    asyncio.run(main())
