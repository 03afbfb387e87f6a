"""What the machines found, said as the shortest story of each."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from surefoot.contracts.breakers import BreakerPolicy, BreakerState, Verdict
from surefoot.contracts.budgets import Charge, Hold, HoldTimes, Scope
from surefoot.errors import Superseded
from surefoot.ports import Admitted, Fate, Proceed, Refused
from surefoot.reliability.budget import WindowMoved
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.local_breaker import LocalBreaker
from surefoot.reliability.times import milliseconds
from tests.machines.fleet import Fleet
from tests.reliability.given import (
    CENT,
    LEASE,
    NEVER_ON_COUNT,
    begin,
    charge,
    held,
    proceeding,
    reservation,
    session,
    tenant,
)

POLICY = BreakerPolicy(consecutive=1)
TIMES = HoldTimes()
SCOPES = (session(), tenant(60 * CENT))


@pytest.fixture
def fleet(own_redis: str) -> Iterator[Fleet]:
    with Fleet(own_redis) as found:
        found.new_world(TIMES)
        yield found


def later(fleet: Fleet, time: timedelta) -> None:
    fleet.clock.at += milliseconds(time)


async def settled_held_unknown(guards: RedisGuards, scope: Scope) -> tuple[int, int, int]:
    status = await guards.store.one(guards.budget.status_step("acme", scope))
    assert not isinstance(status, WindowMoved)
    return status.settled, status.held, status.unknown


@pytest.mark.parametrize("kind", ["redis", "local"])
def test_a_probe_that_asks_late_is_still_told_that_it_made_the_breaker_half_open(fleet: Fleet, kind: str) -> None:
    breaker = fleet.guards(0).breaker if kind == "redis" else LocalBreaker(fleet.clock)
    first = fleet.run(breaker.admit("orders", POLICY, "first"))
    assert isinstance(first, Admitted)
    fleet.run(breaker.report(first.permit, Verdict.FAILURE, None))
    later(fleet, POLICY.open_for)
    probe = fleet.run(breaker.admit("orders", POLICY, "probe"))
    later(fleet, POLICY.probe_lease)
    fleet.run(breaker.admit("orders", POLICY, "another"))
    late = fleet.run(breaker.admit("orders", POLICY, "probe"))
    assert isinstance(late, Refused)
    assert late.transition == probe.transition
    assert late.transition is not None
    assert late.transition.after is BreakerState.HALF_OPEN


def test_a_downgrade_asked_for_again_names_the_same_scope(fleet: Fleet) -> None:
    first = fleet.ask(lambda guards: guards.reserve(reservation("h1", 45 * CENT, CENT, scopes=SCOPES)))
    again = fleet.ask(lambda guards: guards.reserve(reservation("h1", 45 * CENT, CENT, scopes=SCOPES)))
    assert first.tight_scope is not None
    assert again.tight_scope is not None
    assert again.tight_scope.subject == first.tight_scope.subject


def test_a_hold_that_is_over_in_one_scope_is_over_in_all(fleet: Fleet) -> None:
    """As when Redis's clock went back, or a sweep of many holds was not at its end."""

    async def reserve(guards: RedisGuards) -> Hold:
        return held(await guards.reserve(reservation("h1", 2 * CENT, scopes=SCOPES)))

    fleet.ask(reserve)
    later(fleet, TIMES.reserved)
    fleet.ask(lambda guards: settled_held_unknown(guards, SCOPES[0]))
    later(fleet, -TIMES.reserved / 2)
    hold = fleet.ask(reserve)
    assert [fleet.ask(partial(settled_held_unknown, scope=scope)) for scope in SCOPES] == [(0, 2 * CENT, 0)] * 2
    fleet.ask(lambda guards: guards.release(hold))
    assert [fleet.ask(partial(settled_held_unknown, scope=scope)) for scope in SCOPES] == [(0, 0, 0)] * 2


def test_an_attempt_that_was_given_up_and_charged_is_not_sent_again(fleet: Fleet) -> None:
    hold = held(fleet.ask(lambda guards: guards.reserve(reservation("h1", 2 * CENT))))
    entry = fleet.ask(lambda guards: guards.begin_model_call(hold, 1, NEVER_ON_COUNT))
    assert isinstance(entry, Admitted)
    later(fleet, TIMES.sent)
    with pytest.raises(Superseded):
        fleet.ask(lambda guards: guards.begin_model_call(hold, 1, NEVER_ON_COUNT))
    assert fleet.ask(lambda guards: settled_held_unknown(guards, session())) == (2 * CENT, 0, 2 * CENT)
    told: Charge = charge(hold, CENT)
    fleet.ask(lambda guards: guards.end_model_call(entry.permit, Verdict.SUCCESS, None, told))
    assert fleet.ask(lambda guards: settled_held_unknown(guards, session())) == (CENT, 0, 0)


def test_an_attempt_that_reported_its_failure_sends_no_more_and_holds_nobody_up(fleet: Fleet) -> None:
    claim, _ = proceeding(fleet.ask(lambda guards: begin(guards, mark_sent=True)))
    fleet.ask(lambda guards: guards.fail_tool_call(claim, None, Verdict.NEUTRAL, None, fate=Fate.DOUBT))
    with pytest.raises(Superseded):
        fleet.ask(lambda guards: guards.mark_sent(claim, lands_within=LEASE))
    entry = fleet.ask(lambda guards: begin(guards, owner="run/2"), client=1)
    assert isinstance(entry, Proceed)
    assert entry.claim is not None
    assert entry.claim.in_doubt
