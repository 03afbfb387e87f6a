"""Breaker, budget and ledger in one batch: what each refusal undoes."""

import asyncio

from surefoot.contracts.breakers import BreakerState, Verdict
from surefoot.contracts.models import ModelBooking
from surefoot.contracts.tools import ToolBooking
from surefoot.ports import Admitted, Busy, Fate, OverBudget, Proceed, Receipt, Refused, Replay
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from tests.reliability.given import (
    CENT,
    LEASE,
    NEVER_ON_COUNT,
    QUICK,
    SHORT,
    TRIPS_AT_ONCE,
    admitted,
    begin,
    charge,
    held,
    permit,
    proceeding,
    reservation,
    session,
)

MODEL = "scripted:m0"


async def trip(guards: RedisGuards, name: str, policy: object = TRIPS_AT_ONCE) -> None:
    token = await admitted(guards.breaker, "trip", QUICK if policy is QUICK else TRIPS_AT_ONCE, name)
    assert await guards.breaker.report(token, Verdict.FAILURE, None)


async def held_money(guards: RedisGuards, prefix: str) -> int:
    scope = session()
    return (await RedisOffice(guards.store, prefix).budget("acme", scope.kind, scope.subject, scope.budget)).held


async def test_the_check_sees_the_breakers_as_the_fleet_left_them(
    guards: RedisGuards, other_guards: RedisGuards
) -> None:
    await trip(other_guards, "orders")
    looked_at = (await guards.reserve(reservation("h1", CENT, look_at="orders"))).breakers["orders"]
    assert looked_at.state is BreakerState.OPEN
    assert looked_at.open_until is not None
    assert looked_at.episode == (await guards.breaker.status("orders")).episode


async def test_the_check_does_not_count_a_breaker_as_open_whose_time_is_over(guards: RedisGuards) -> None:
    await trip(guards, "orders", QUICK)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    looked_at = (await guards.reserve(reservation("h1", CENT, look_at="orders"))).breakers["orders"]
    assert looked_at.state is BreakerState.HALF_OPEN


async def test_a_model_refused_by_its_breaker_leaves_the_hold_reserved(guards: RedisGuards, prefix: str) -> None:
    await trip(guards, MODEL)
    hold = held(await guards.reserve(reservation("h1", CENT)))
    assert isinstance(await guards.begin_model_call(hold, 1, TRIPS_AT_ONCE), Refused)
    assert await held_money(guards, prefix) == CENT
    await guards.release(hold)
    assert await held_money(guards, prefix) == 0


async def test_a_probe_that_the_budget_stops_gives_its_place_back(guards: RedisGuards) -> None:
    await trip(guards, MODEL, QUICK)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    hold = held(await guards.reserve(reservation("h1", CENT)))
    too_dear = hold.model_copy(update={"id": "h2", "bound": 60 * CENT})
    assert isinstance(await guards.begin_model_call(too_dear, 1, QUICK), OverBudget)
    entry = await guards.begin_model_call(hold, 1, QUICK)
    assert permit(entry).probe is not None


async def test_the_next_attempt_of_a_probe_that_died_takes_its_place_at_once(guards: RedisGuards) -> None:
    policy = QUICK.outlasting(LEASE)
    await trip(guards, MODEL, QUICK)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    hold, other = [held(await guards.reserve(reservation(name, CENT))) for name in ("dies", "other")]
    assert permit(await guards.begin_model_call(hold, 1, policy)).probe
    assert isinstance(await guards.begin_model_call(other, 1, policy), Refused)
    second = permit(await guards.begin_model_call(hold, 2, policy))
    await guards.end_model_call(second, Verdict.SUCCESS, None, charge(hold, CENT, attempt=2))
    assert (await guards.breaker.status(MODEL)).state is BreakerState.CLOSED


async def test_ending_a_model_call_settles_and_reports(guards: RedisGuards) -> None:
    hold = held(await guards.reserve(reservation("h1", 40 * CENT)))
    entry = await guards.begin_model_call(hold, 1, TRIPS_AT_ONCE)
    receipt = await guards.end_model_call(permit(entry), Verdict.FAILURE, None, charge(hold, 40 * CENT))
    assert [change.after for change in receipt.transitions] == [BreakerState.OPEN]
    assert [crossing.line for crossing in receipt.crossings] == ["soft"]
    booking = ModelBooking(charge=charge(hold, 40 * CENT), permit=permit(entry), verdict=Verdict.FAILURE)
    assert await guards.book(booking) == receipt


async def test_booking_nothing_does_nothing(guards: RedisGuards) -> None:
    assert await guards.book(ModelBooking()) == Receipt()
    assert await guards.book(ToolBooking()) == Receipt()


async def test_a_tool_refused_by_its_breaker_leaves_no_claim_behind(guards: RedisGuards) -> None:
    await trip(guards, "orders")
    refused = await begin(guards, mark_sent=True, breaker=TRIPS_AT_ONCE)
    await guards.breaker.force("orders", BreakerState.CLOSED, "mended", "act")
    claim, _ = proceeding(await begin(guards, owner="run/2", mark_sent=True))
    assert isinstance(refused, Refused)
    assert not refused.in_doubt
    assert (claim.attempts, claim.in_doubt) == (1, False)


async def test_a_refusal_keeps_the_doubt_of_an_earlier_attempt(guards: RedisGuards) -> None:
    await begin(guards, mark_sent=True)
    await trip(guards, "orders")
    refused = await begin(guards, attempt=2, mark_sent=True, breaker=TRIPS_AT_ONCE)
    await guards.breaker.force("orders", BreakerState.CLOSED, "mended", "act")
    third, _ = proceeding(await begin(guards, attempt=3))
    assert isinstance(refused, Refused)
    assert refused.in_doubt
    assert (third.attempts, third.in_doubt) == (1, True)


async def test_a_done_claim_is_replayed_whatever_the_breaker_says(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards))
    await guards.complete_tool_call(claim, "done", None)
    await trip(guards, "orders")
    assert await begin(guards, owner="run/2", breaker=TRIPS_AT_ONCE) == Replay("done", 0)


async def test_a_probe_that_finds_its_effect_under_way_gives_its_place_back(guards: RedisGuards) -> None:
    await begin(guards)
    await trip(guards, "orders", QUICK)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    assert isinstance(await begin(guards, owner="run/2", breaker=QUICK), Busy)
    _, probe = proceeding(await begin(guards, "other effect", owner="run/3", breaker=QUICK))
    assert probe.probe is not None


async def test_failing_a_tool_call_frees_its_claim_and_reports(guards: RedisGuards) -> None:
    claim, token = proceeding(await begin(guards, breaker=TRIPS_AT_ONCE))
    receipts = [await guards.fail_tool_call(claim, token, Verdict.FAILURE, None, fate=Fate.RELEASED) for _ in range(2)]
    assert [change.after for change in receipts[0].transitions] == [BreakerState.OPEN]
    assert receipts[0] == receipts[1]


async def test_a_read_is_admitted_and_reported_without_a_claim(guards: RedisGuards, prefix: str) -> None:
    entry = await begin(guards, None, breaker=TRIPS_AT_ONCE)
    assert isinstance(entry, Proceed)
    assert entry.claim is None
    receipt = await guards.fail_tool_call(None, entry.permit, Verdict.FAILURE, None, fate=Fate.CLEAR)
    assert [change.after for change in receipt.transitions] == [BreakerState.OPEN]
    assert isinstance(await begin(guards, None, attempt=2, breaker=TRIPS_AT_ONCE), Refused)
    assert [status.name for status in await RedisOffice(guards.store, prefix).breakers()] == ["orders"]


async def test_the_probe_that_makes_a_breaker_half_open_is_told_so(guards: RedisGuards) -> None:
    await trip(guards, "orders", QUICK)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    entry = await begin(guards, breaker=QUICK)
    assert isinstance(entry, Proceed)
    assert entry.transition is not None
    assert entry.transition.after is BreakerState.HALF_OPEN


async def test_models_and_tools_have_breakers_of_their_own(guards: RedisGuards) -> None:
    await trip(guards, "orders")
    hold = held(await guards.reserve(reservation("h1", CENT)))
    assert isinstance(await guards.begin_model_call(hold, 1, NEVER_ON_COUNT), Admitted)
