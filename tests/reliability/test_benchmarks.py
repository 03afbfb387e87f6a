"""The benchmark of the guards: it measures what it says, and its report can be published."""

import json
import platform
from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from benchmarks.acts import Acts
from benchmarks.report import ROOT, Result, context, write
from benchmarks.timing import Spread, measured
from surefoot.reliability.connections import pool
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.store import Step


async def test_every_guard_can_be_measured_beside_two_pings_by_one_caller_and_by_many(
    guards: RedisGuards, redis_url: str
) -> None:
    own = partial(guards.store.one, Step(("PING",), lambda _: None))
    async with Redis.from_pool(pool(redis_url, 4, connect=1)) as redis:
        for guard in Acts(guards).all():
            for callers in (1, 3):
                rounds = await measured(guard, (redis.ping, own), callers, samples=4)
                assert all(each.act > 0 and len(each.pings) == 2 and min(each.pings) > 0 for each in rounds)


def test_a_figure_beyond_its_limit_is_a_miss_on_either_side() -> None:
    assert Result("cost", 2.5, "x PING", 2.5).ok
    assert not Result("cost", 2.51, "x PING", 2.5).ok
    assert Result("share", 0.30, "of PINGs/s", 0.30, at_least=True).ok
    assert not Result("share", 0.29, "of PINGs/s", 0.30, at_least=True).ok
    assert Result("told", 1e9, "µs").ok


def test_the_report_holds_each_figure_with_its_quartiles_and_names_no_host_and_no_folder(tmp_path: Path) -> None:
    missed = Result("cost", 3.0, "x PING", 2.5, spread=Spread.of([2.0, 2.9, 3.0, 3.1, 4.0]))
    path = write("guards", context().with_versions(redis="7"), [missed], tmp_path)
    report = json.loads(path.read_text())
    assert report["results"] == [
        {"name": "cost", "value": 3.0, "unit": "x PING", "limit": 2.5, "ok": False},
        {"name": "cost, lower quartile", "value": 2.9, "unit": "x PING", "limit": None, "ok": True},
        {"name": "cost, upper quartile", "value": 3.1, "unit": "x PING", "limit": None, "ok": True},
    ]
    assert {"machine", "versions", "load", "commit", "time"} <= report["context"].keys()
    assert report["context"]["versions"]["redis"] == "7"
    for secret in filter(None, (platform.node(), str(ROOT))):
        assert secret not in path.read_text()
