"""How long it takes from the opening of a breaker to the page, on the embedded stack.

A back end fails, a run's call opens its breaker, the run's incident pages; then the breaker is reset for the next
opening. The opening is timed by Redis, which makes the transition; the page by the simulator, when PagerDuty's sink
has taken it. Prints a table and writes ``benchmarks/results/paging.json``; with ``--json`` prints what it writes. The
exit code says that it was measured: 0 whatever the figures; a miss is marked as one in both.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from redis.asyncio import Redis

from benchmarks.report import Result, main
from benchmarks.timing import Spread
from surefoot.contracts.guardrails import Act
from surefoot.contracts.incidents import Incident, IncidentKind
from surefoot.drill.crews import fields
from surefoot.drill.field import PERSON, Field
from surefoot.embedded.stack import Stack
from surefoot.rehearsal import connect, until
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from surefoot.settings import Settings
from surefoot.simulator.sinks.alerts import Alert

OPENINGS = 25
WARM_UP = 3
"""Openings before those that count: a new worker imports and connects."""
TOOL, ORDER = "look_up_order", "Where is my order A-1003?"
LIMIT = 1.0
"""Seconds, for the median."""
SINK = "pagerduty"


class Bench:
    """One worker, and a breaker that opens again and again."""

    def __init__(self, field: Field, settings: Settings) -> None:
        self._field = field
        self._prefix = settings.key_prefix
        self._redis = Redis.from_url(field.redis.url, decode_responses=True)
        self._store = Store.connect(field.redis.url, timeout=timedelta(seconds=5))
        self._office = RedisOffice(self._store, self._prefix)

    async def close(self) -> None:
        await self._redis.aclose()
        await self._store.close()

    async def version(self) -> str:
        return str((await self._redis.info("server"))["redis_version"])

    async def results(self, openings: int) -> list[Result]:
        await self._field.shop.fault("orders", "status", status=500)
        for number in range(WARM_UP):
            await self._opening(number)
        spans = [await self._opening(number) for number in range(WARM_UP, WARM_UP + openings)]
        triaged, paged = (Spread.of(column) for column in zip(*spans, strict=True))
        return [
            Result(f"breaker open to page taken, {openings} openings", paged.median, "s", LIMIT, spread=paged),
            Result("breaker open to incident open", triaged.median, "s", spread=triaged),
            Result("breaker open to page taken, slowest", max(span for _, span in spans), "s"),
        ]

    async def _opening(self, number: int) -> tuple[float, float]:
        """Seconds until the incident was open, and until its page was taken."""
        known = {alert.key for alert in await self._field.shop.alerts(SINK)}
        await self._field.ask("brittle", ORDER, number)

        async def came() -> Alert | Literal[False]:
            return next((one for one in await self._field.shop.alerts(SINK) if one.key not in known), False)

        page = await until(came, "the page")
        opened = datetime.fromtimestamp(await self._since() / 1000, UTC)
        incident: Incident = await self._field.surefoot.incident(page.key)
        if incident.opened_at is None:
            raise TypeError(f"{page.key!r} does not tell when it opened")
        await self._office.reset_breaker(TOOL, Act(id=f"reset-{number}", by=PERSON, reason="the next opening"))
        return (incident.opened_at - opened).total_seconds(), (page.triggered_at - opened).total_seconds()

    async def _since(self) -> int:
        """When the breaker changed last, in milliseconds, as Redis has noted it."""
        since = await self._redis.hget(f"{self._prefix}:breaker:{{{TOOL}}}", "since")
        return int(since or 0)


async def measure(openings: int = OPENINGS) -> tuple[str, list[Result]]:
    """Redis's version, and every figure."""
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), given={}, in_memory=True, ui=False) as stack:
            temporal = await connect(stack.settings())
            field = (await fields(stack, temporal, [IncidentKind.BREAKER_OPEN], "bench"))[IncidentKind.BREAKER_OPEN]
            bench = Bench(field, stack.settings())
            try:
                results = await bench.results(openings)
                return await bench.version(), results
            finally:
                await bench.close()
                await field.shop.aclose()


if __name__ == "__main__":
    main("paging", __doc__, measure)
