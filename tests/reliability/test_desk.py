"""What operators do: to breakers and budgets, with who and why, once however often they ask."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import ValidationError

from surefoot.contracts.breakers import BreakerState, Verdict
from surefoot.contracts.budgets import BudgetWindow
from surefoot.contracts.guardrails import Act, Answer
from surefoot.errors import InvalidAmount
from surefoot.ports import GuardDesk, Proceed, Refused
from surefoot.reliability.amounts import LARGEST
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from tests.reliability.given import (
    CENT,
    DOLLAR,
    TRIPS_AT_ONCE,
    act,
    begin,
    books,
    charge,
    held,
    permit,
    reservation,
    session,
    spend,
)

SESSION = session()
WHOSE = ("acme", SESSION.kind, SESSION.subject, SESSION.budget)


@pytest.fixture
def desk(guards: RedisGuards, prefix: str) -> GuardDesk:
    return RedisOffice(guards.store, prefix)


async def test_a_breaker_is_held_open_disabled_and_reset_each_act_told_once(
    desk: GuardDesk, guards: RedisGuards
) -> None:
    opened = [await desk.force_open("orders", act("1")) for _ in range(2)]
    refused = await begin(guards, breaker=TRIPS_AT_ONCE)
    disabled = await desk.disable("orders", act("2"))
    assert await desk.disable("orders", act("3")) is None
    through = await begin(guards, breaker=TRIPS_AT_ONCE)
    closed = await desk.reset_breaker("orders", act("4"))
    assert opened[0] == opened[1]
    assert opened[0] is not None
    assert opened[0].reason == "a promotion (ann)"
    assert isinstance(refused, Refused)
    assert isinstance(through, Proceed)
    assert [change.after for change in (disabled, closed) if change] == [BreakerState.DISABLED, BreakerState.CLOSED]
    assert [status.name for status in await desk.breakers()] == ["orders"]


async def test_a_limit_set_by_hand_holds_until_it_is_given_back(desk: GuardDesk, guards: RedisGuards) -> None:
    status = await desk.set_budget(*WHOSE, DOLLAR, act("1"))
    wide = await guards.reserve(reservation("h1", 70 * CENT))
    back = await desk.set_budget(*WHOSE, None, act("2"))
    narrow = await guards.reserve(reservation("h2", 20 * CENT))
    assert (status.limit, status.soft_line) == (DOLLAR, 80 * CENT)
    assert wide.answer is Answer.GO
    assert back.limit == 50 * CENT
    assert narrow.answer is Answer.IN_FLIGHT


async def test_a_top_up_repeated_adds_once(desk: GuardDesk) -> None:
    statuses = [await desk.top_up(*WHOSE, 10 * CENT, act("1")) for _ in range(3)]
    assert {status.limit for status in statuses} == {60 * CENT}
    assert (await desk.top_up(*WHOSE, 10 * CENT, act("2"))).limit == 70 * CENT


async def test_racing_repetitions_of_a_top_up_add_once(desk: GuardDesk) -> None:
    await asyncio.gather(*(desk.top_up(*WHOSE, CENT, act("1")) for _ in range(20)))
    assert (await desk.budget(*WHOSE)).limit == 51 * CENT


async def test_a_top_up_lets_an_exhausted_session_go_on(desk: GuardDesk, guards: RedisGuards) -> None:
    await spend(guards, "h0", 50 * CENT)
    refused = await guards.reserve(reservation("h1", CENT))
    await desk.top_up(*WHOSE, 10 * CENT, act())
    assert refused.answer is Answer.EXHAUSTED
    assert (await guards.reserve(reservation("h1", CENT))).answer is Answer.GO


async def test_a_line_crossed_again_after_a_top_up_is_another_episode(desk: GuardDesk, guards: RedisGuards) -> None:
    first = (await spend(guards, "h0", 50 * CENT)).crossings
    await desk.top_up(*WHOSE, 50 * CENT, act())
    quiet = (await spend(guards, "h1", 20 * CENT)).crossings
    second = (await spend(guards, "h2", 30 * CENT)).crossings
    assert [crossing.line for crossing in first] == [crossing.line for crossing in second] == ["soft", "hard"]
    assert quiet == ()
    assert not {crossing.episode for crossing in first} & {crossing.episode for crossing in second}


async def test_a_reset_begins_anew_and_leaves_calls_in_flight_held(
    desk: GuardDesk, guards: RedisGuards, prefix: str
) -> None:
    await spend(guards, "h0", 40 * CENT)
    await desk.top_up(*WHOSE, 10 * CENT, act("1"))
    hold = held(await guards.reserve(reservation("h1", 5 * CENT)))
    entry = await guards.begin_model_call(hold, 1, TRIPS_AT_ONCE)
    status = await desk.reset_budget(*WHOSE, act("2"))
    await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, charge(hold, 4 * CENT))
    again = await desk.reset_budget(*WHOSE, act("2"))
    assert (status.settled, status.unknown, status.held, status.limit) == (0, 0, 5 * CENT, 50 * CENT)
    assert (again.settled, again.held) == (4 * CENT, 0)
    assert (await books(guards, prefix)).settled == 4 * CENT


async def test_after_a_reset_the_truth_about_an_unknown_charge_takes_nothing_off(
    desk: GuardDesk, guards: RedisGuards
) -> None:
    hold = held(await guards.reserve(reservation("h1", 5 * CENT)))
    lost = await guards.begin_model_call(hold, 1, TRIPS_AT_ONCE)
    await guards.begin_model_call(hold, 2, TRIPS_AT_ONCE)
    await desk.reset_budget(*WHOSE, act())
    await guards.end_model_call(permit(lost), Verdict.SUCCESS, None, charge(hold, 3 * CENT))
    status = await desk.budget(*WHOSE)
    assert (status.settled, status.unknown, status.held) == (3 * CENT, 0, 5 * CENT)


async def test_a_limit_set_for_a_day_outlives_it_and_a_top_up_does_not(desk: GuardDesk, guards: RedisGuards) -> None:
    daily = session(window=BudgetWindow.DAY)
    whose = ("acme", daily.kind, daily.subject, daily.budget)
    await desk.set_budget(*whose, DOLLAR, act("1"))
    topped = await desk.top_up(*whose, DOLLAR, act("2"))
    hold = held(await guards.reserve(reservation("h1", CENT, scopes=(daily,))))
    earlier = hold.model_copy(update={"id": "early", "at": hold.at - timedelta(days=1)})
    entry = await guards.begin_model_call(earlier, 1, TRIPS_AT_ONCE)
    told = (await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, charge(earlier, DOLLAR))).crossings
    assert topped.limit == 2 * DOLLAR
    assert {crossing.scope.limit for crossing in told} == {DOLLAR}


async def test_the_last_acts_on_a_budget_are_kept_with_who_and_why(desk: GuardDesk) -> None:
    for number in range(25):
        await desk.top_up(*WHOSE, CENT, act(f"act-{number}"))
    await desk.reset_budget(*WHOSE, act("last"))
    kept = await desk.acts("acme", SESSION.kind, SESSION.subject)
    assert len(kept) == 20
    assert [(one["id"], one["act"]) for one in kept[:2]] == [("last", "reset"), ("act-24", "top_up")]
    assert (kept[1]["by"], kept[1]["reason"], kept[1]["amount"]) == ("ann", "a promotion", str(CENT))


@pytest.mark.parametrize("amount", [-1, 0.5, float("nan"), float("inf"), LARGEST + 1, LARGEST, True, "5"])
async def test_an_amount_that_makes_no_sense_changes_nothing(desk: GuardDesk, amount: object) -> None:
    with pytest.raises(InvalidAmount):
        await desk.top_up(*WHOSE, amount, act())  # type: ignore[arg-type]  # on purpose
    if amount != LARGEST:
        with pytest.raises(InvalidAmount):
            await desk.set_budget(*WHOSE, amount, act())  # type: ignore[arg-type]  # on purpose
    assert (await desk.budget(*WHOSE)).limit == 50 * CENT
    assert await desk.acts("acme", SESSION.kind, SESSION.subject) == ()


def test_an_act_says_who_and_why() -> None:
    for wrong in ({"by": ""}, {"reason": ""}, {"id": ""}):
        with pytest.raises(ValidationError):
            Act.model_validate({"id": "1", "by": "ann", "reason": "why", **wrong})
