"""The machines' clock: the product's scripts but for the time, which the product's own take from Redis alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import surefoot.reliability
from surefoot.contracts.breakers import Permit, Transition, Verdict
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.store import Step
from surefoot.reliability.times import moment
from tests.machines.fleet import NOON, PRODUCT_CLOCK, TEST_CLOCK, Fleet, Way, stepped
from tests.reliability.given import TRIPS_AT_ONCE

LUA = Path(surefoot.reliability.__file__).parent / "lua"


def report_failure(guards: RedisGuards) -> Step[Transition | None]:
    permit = Permit(name="orders", generation=0, token="call", policy=TRIPS_AT_ONCE)
    return guards.breaker.report_step(permit, Verdict.FAILURE, None)


def test_only_one_line_of_the_product_asks_what_time_it_is() -> None:
    asking = [path.name for path in LUA.rglob("*.lua") if "'TIME'" in path.read_text(encoding="utf-8")]
    assert asking == ["clock.lua"]


async def test_a_time_that_a_caller_adds_is_ignored_by_the_product(direct: RedisGuards) -> None:
    step = report_failure(direct)
    opened = await direct.store.one(Step((*step.words, NOON), step.read, step.script))
    assert opened is not None
    assert abs(opened.at - datetime.now(UTC)) < timedelta(minutes=5)


async def test_a_machine_runs_the_product_s_script_but_for_its_clock(direct: RedisGuards) -> None:
    script = report_failure(direct).script
    assert script is not None
    assert stepped(script).source == script.source.replace(PRODUCT_CLOCK, TEST_CLOCK, 1)


def test_a_machine_s_time_is_the_one_that_it_says(own_redis: str) -> None:
    with Fleet(own_redis) as fleet:
        fleet.new_world()
        opened = fleet.do(lambda guards: guards.store.one(report_failure(guards)), Way(client=0))
        assert isinstance(opened, Transition)
        assert opened.at == moment(NOON)
