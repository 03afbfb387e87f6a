"""Money: held before it is spent, settled once, never above the cap."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.budgets import BudgetWindow, Hold, HoldTimes, Scope
from surefoot.contracts.guardrails import Answer
from surefoot.errors import InvalidInput, Superseded
from surefoot.ports import Admitted, OverBudget
from surefoot.reliability.budget import WindowMoved
from surefoot.reliability.guards import RedisGuards
from tests.reliability.given import (
    CENT,
    DOLLAR,
    NEVER_ON_COUNT,
    SHORT,
    books,
    charge,
    held,
    permit,
    reservation,
    session,
    spend,
    tenant,
)

BRIEF = HoldTimes(reserved=SHORT, sent=SHORT)
EXPIRED = SHORT.total_seconds() + 0.02


@pytest.fixture
def brief_guards(guards: RedisGuards, prefix: str) -> RedisGuards:
    """Whose holds expire soon."""
    return RedisGuards(guards.store, prefix, hold_times=BRIEF)


async def reserved(guards: RedisGuards, hold_id: str, bound: int = 2 * CENT, scope: Scope | None = None) -> Hold:
    scopes = (scope,) if scope else None
    return held(await guards.reserve(reservation(hold_id, bound, scopes=scopes)))


async def sent(guards: RedisGuards, hold: Hold, attempt: int = 1) -> Admitted:
    entry = await guards.begin_model_call(hold, attempt, NEVER_ON_COUNT)
    assert isinstance(entry, Admitted), entry
    return entry


async def test_a_hold_becomes_spend_when_it_is_settled(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1")
    before = await books(guards, prefix)
    entry = await sent(guards, hold)
    await guards.end_model_call(entry.permit, Verdict.SUCCESS, None, charge(hold, CENT))
    after = await books(guards, prefix)
    assert (before.settled, before.held) == (0, 2 * CENT)
    assert (after.settled, after.held, after.unknown) == (CENT, 0, 0)


@pytest.mark.parametrize("used_before", [False, True])
async def test_a_hundred_concurrent_calls_never_pass_the_cap(
    guards: RedisGuards, other_guards: RedisGuards, prefix: str, used_before: bool
) -> None:
    if used_before:
        await spend(guards, "first", 2 * CENT)
    workers = (guards, other_guards)
    answers = await asyncio.gather(*(workers[n % 2].reserve(reservation(f"h{n}", 2 * CENT)) for n in range(100)))
    held_now = [answer for answer in answers if answer.answer is Answer.GO]
    status = await books(guards, prefix)
    assert len(held_now) == 25 - used_before
    assert status.settled + status.held == status.limit
    assert {answer.answer for answer in answers} == {Answer.GO, Answer.IN_FLIGHT}


async def test_all_scopes_are_held_or_none(guards: RedisGuards, prefix: str) -> None:
    scopes = (session(DOLLAR), tenant(CENT))
    refused = await guards.reserve(reservation("h1", 2 * CENT, scopes=scopes))
    assert refused.answer is Answer.NEVER_FITS
    assert refused.tight_scope is not None
    assert refused.tight_scope.subject == "acme"
    assert (await books(guards, prefix, scopes[0])).held == 0


async def test_a_reservation_whose_reply_was_lost_is_held_once(guards: RedisGuards, prefix: str) -> None:
    first = await guards.reserve(reservation("h1", 2 * CENT))
    again = await guards.reserve(reservation("h1", 2 * CENT))
    assert again == first
    assert (await books(guards, prefix)).held == 2 * CENT


async def test_the_first_rung_serves_until_the_soft_line_then_the_last_until_the_hard_one(guards: RedisGuards) -> None:
    chosen = []
    for number in range(12):
        answer = await guards.reserve(reservation(f"h{number}", 10 * CENT, 5 * CENT))
        chosen.append(answer.hold.model if answer.hold else answer.answer.value)
    assert chosen == ["scripted:m0"] * 4 + ["scripted:m1"] * 2 + ["in_flight"] * 6


async def test_a_downgrade_names_the_scope_that_asked_for_it(guards: RedisGuards) -> None:
    await spend(guards, "h0", 39 * CENT)
    answer = await guards.reserve(reservation("h1", 10 * CENT, CENT))
    assert (answer.answer, answer.rung) == (Answer.GO, 1)
    assert answer.tight_scope is not None
    assert answer.tight_scope.settled == 39 * CENT


async def test_refusals_are_told_apart(guards: RedisGuards) -> None:
    never = await guards.reserve(reservation("never", DOLLAR))
    await spend(guards, "spent", 30 * CENT)
    exhausted = await guards.reserve(reservation("exhausted", 21 * CENT))
    await reserved(guards, "flying", 15 * CENT)
    in_flight = await guards.reserve(reservation("waiting", 6 * CENT))
    assert [answer.answer for answer in (never, exhausted, in_flight)] == [
        Answer.NEVER_FITS,
        Answer.EXHAUSTED,
        Answer.IN_FLIGHT,
    ]
    assert in_flight.retry_after is not None
    assert timedelta() < in_flight.retry_after <= timedelta(seconds=1)
    assert all(answer.hold is None for answer in (never, exhausted, in_flight))


async def test_a_run_without_budgets_is_held_nowhere(guards: RedisGuards) -> None:
    hold = held(await guards.reserve(reservation("h1", DOLLAR, scopes=())))
    entry = await sent(guards, hold)
    receipt = await guards.end_model_call(entry.permit, Verdict.SUCCESS, None, charge(hold, DOLLAR))
    assert receipt.crossings == ()


async def test_a_settlement_repeated_is_booked_once_and_tells_the_same(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1", 40 * CENT)
    entry = await sent(guards, hold)
    receipts = [
        await guards.end_model_call(entry.permit, Verdict.SUCCESS, None, charge(hold, 40 * CENT)) for _ in range(3)
    ]
    assert [crossing.line for crossing in receipts[0].crossings] == ["soft"]
    assert receipts[1:] == receipts[:1] * 2
    assert (await books(guards, prefix)).settled == 40 * CENT


async def test_eight_times_ten_cents_is_eighty_percent_of_a_dollar(guards: RedisGuards) -> None:
    told = [(await spend(guards, f"h{number}", 10 * CENT, session(DOLLAR))).crossings for number in range(9)]
    assert [number for number, crossings in enumerate(told, start=1) if crossings] == [8]
    assert told[7][0].scope.settled == told[7][0].scope.soft_line == 80 * CENT


async def test_each_line_is_told_once_among_racing_settlements(guards: RedisGuards, other_guards: RedisGuards) -> None:
    workers = (guards, other_guards)
    holds = [await reserved(guards, f"h{number}", 5 * CENT) for number in range(10)]
    entries = [await sent(guards, hold) for hold in holds]
    receipts = await asyncio.gather(
        *(
            workers[n % 2].end_model_call(entry.permit, Verdict.SUCCESS, None, charge(hold, 5 * CENT))
            for n, (hold, entry) in enumerate(zip(holds, entries, strict=True))
        )
    )
    told = [crossing for receipt in receipts for crossing in receipt.crossings]
    assert sorted(crossing.line for crossing in told) == ["hard", "soft"]
    assert len({crossing.episode for crossing in told}) == 2


async def test_the_hard_stop_is_told_once_by_its_first_refusal(guards: RedisGuards) -> None:
    await spend(guards, "h0", 45 * CENT)
    first = await guards.reserve(reservation("h1", 6 * CENT))
    second = await guards.reserve(reservation("h2", 6 * CENT))
    assert [crossing.line for crossing in first.crossings] == ["hard"]
    assert second.crossings == ()


async def test_a_charge_of_zero_gives_the_hold_back(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1")
    entry = await sent(guards, hold)
    await guards.end_model_call(entry.permit, Verdict.NEUTRAL, None, charge(hold, 0))
    assert (await books(guards, prefix)).held == 0
    await sent(guards, hold, attempt=2)
    assert (await books(guards, prefix)).held == 2 * CENT


async def test_a_dearer_call_than_its_bound_is_booked_at_the_truth(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1")
    entry = await sent(guards, hold)
    await guards.end_model_call(entry.permit, Verdict.SUCCESS, None, charge(hold, 60 * CENT))
    assert (await books(guards, prefix)).settled == 60 * CENT


async def test_a_call_given_up_in_flight_is_spent_as_unknown(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1")
    entry = await sent(guards, hold)
    await guards.end_model_call(entry.permit, Verdict.NEUTRAL, None, charge(hold, hold.bound, unknown=True))
    status = await books(guards, prefix)
    assert (status.settled, status.unknown, status.held) == (2 * CENT, 2 * CENT, 0)


async def test_releasing_gives_a_reserved_hold_back_and_leaves_a_sent_one(guards: RedisGuards, prefix: str) -> None:
    reserved_one, sent_one = await reserved(guards, "h1"), await reserved(guards, "h2", 3 * CENT)
    await sent(guards, sent_one)
    for hold in (reserved_one, sent_one, reserved_one):
        await guards.release(hold)
    assert (await books(guards, prefix)).held == 3 * CENT


async def test_the_end_of_a_run_gives_back_what_was_reserved_and_charges_what_was_sent(
    guards: RedisGuards, prefix: str
) -> None:
    unused, used = await reserved(guards, "unused"), await reserved(guards, "used")
    await sent(guards, used)
    for hold in (unused, used, used):
        await guards.close_hold(hold)
    status = await books(guards, prefix)
    assert (status.settled, status.held, status.unknown) == (2 * CENT, 0, 2 * CENT)


async def test_a_call_that_ends_after_its_run_is_booked_at_what_it_cost(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1")
    entry = await sent(guards, hold)
    await guards.close_hold(hold)
    await guards.end_model_call(entry.permit, Verdict.SUCCESS, None, charge(hold, CENT))
    status = await books(guards, prefix)
    assert (status.settled, status.held, status.unknown) == (CENT, 0, 0)


@pytest.mark.parametrize("attempt", [1, 2])
async def test_no_attempt_of_a_run_that_is_over_may_send(guards: RedisGuards, prefix: str, attempt: int) -> None:
    hold = await reserved(guards, "h1")
    await sent(guards, hold)
    await guards.close_hold(hold)
    with pytest.raises(Superseded):
        await guards.begin_model_call(hold, attempt, NEVER_ON_COUNT)
    assert (await books(guards, prefix)).held == 0


async def test_a_line_crossed_by_what_a_run_left_is_told_once(guards: RedisGuards) -> None:
    hold = await reserved(guards, "h1", 45 * CENT)
    await sent(guards, hold)
    receipts = [await guards.close_hold(hold) for _ in range(2)]
    assert [crossing.line for crossing in receipts[0].crossings] == ["soft"]
    assert receipts[0] == receipts[1]


async def test_a_reserved_hold_that_expires_is_released(brief_guards: RedisGuards, prefix: str) -> None:
    await reserved(brief_guards, "h1")
    await asyncio.sleep(EXPIRED)
    status = await books(brief_guards, prefix)
    assert (status.settled, status.held) == (0, 0)


async def test_a_sent_hold_that_expires_is_charged_its_bound_until_the_truth_is_told(
    brief_guards: RedisGuards, prefix: str
) -> None:
    hold = await reserved(brief_guards, "h1")
    entry = await sent(brief_guards, hold)
    await asyncio.sleep(EXPIRED)
    expired = await books(brief_guards, prefix)
    await brief_guards.end_model_call(entry.permit, Verdict.SUCCESS, None, charge(hold, CENT))
    settled = await books(brief_guards, prefix)
    assert (expired.settled, expired.unknown, expired.held) == (2 * CENT, 2 * CENT, 0)
    assert (settled.settled, settled.unknown, settled.held) == (CENT, 0, 0)


async def test_a_line_crossed_by_an_expired_hold_is_told_by_the_next_check(brief_guards: RedisGuards) -> None:
    await sent(brief_guards, await reserved(brief_guards, "h1", 40 * CENT))
    await asyncio.sleep(EXPIRED)
    answer = await brief_guards.reserve(reservation("h2", CENT))
    assert [crossing.line for crossing in answer.crossings] == ["soft"]


async def test_a_hold_that_expired_before_the_call_is_taken_anew_if_it_still_fits(
    brief_guards: RedisGuards, guards: RedisGuards, prefix: str
) -> None:
    first, second = await reserved(brief_guards, "h1", 30 * CENT), await reserved(brief_guards, "h2", 20 * CENT)
    await asyncio.sleep(EXPIRED)
    await reserved(guards, "h3", 20 * CENT)
    await sent(guards, first)
    refused = await guards.begin_model_call(second, 1, NEVER_ON_COUNT)
    assert isinstance(refused, OverBudget)
    assert refused.scope.held == 50 * CENT
    assert (await books(guards, prefix)).held == 50 * CENT


async def test_beginning_twice_after_a_lost_reply_holds_once(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1")
    assert await sent(guards, hold) == await sent(guards, hold)
    assert (await books(guards, prefix)).held == 2 * CENT


async def test_an_earlier_attempt_that_never_came_back_is_charged_its_bound(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1")
    lost = await sent(guards, hold)
    entry = await sent(guards, hold, attempt=2)
    between = await books(guards, prefix)
    await guards.end_model_call(entry.permit, Verdict.SUCCESS, None, charge(hold, CENT, attempt=2))
    after = await books(guards, prefix)
    await guards.end_model_call(lost.permit, Verdict.SUCCESS, None, charge(hold, CENT, attempt=1))
    corrected = await books(guards, prefix)
    assert (between.settled, between.unknown, between.held) == (2 * CENT, 2 * CENT, 2 * CENT)
    assert (after.settled, after.unknown, after.held) == (3 * CENT, 2 * CENT, 0)
    assert (corrected.settled, corrected.unknown, corrected.held) == (2 * CENT, 0, 0)


async def test_another_attempt_needs_room_under_the_cap(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1", 30 * CENT)
    await sent(guards, hold)
    assert isinstance(await guards.begin_model_call(hold, 2, NEVER_ON_COUNT), OverBudget)
    status = await books(guards, prefix)
    assert (status.settled, status.unknown, status.held) == (30 * CENT, 30 * CENT, 0)


async def test_an_attempt_that_was_overtaken_may_not_send(guards: RedisGuards, prefix: str) -> None:
    hold = await reserved(guards, "h1")
    await sent(guards, hold, attempt=2)
    with pytest.raises(Superseded):
        await guards.begin_model_call(hold, 1, NEVER_ON_COUNT)
    assert (await books(guards, prefix)).held == 2 * CENT


async def test_what_was_spent_is_booked_even_where_the_hold_is_not_known(guards: RedisGuards, prefix: str) -> None:
    hold = (await reserved(guards, "h1")).model_copy(update={"id": "from-before-the-wipe"})
    entry = await guards.breaker.admit(hold.model, NEVER_ON_COUNT, "a")
    await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, charge(hold, CENT))
    assert (await books(guards, prefix)).settled == CENT


async def test_each_day_has_its_own_books_and_a_late_call_is_booked_where_it_was_held(
    guards: RedisGuards, prefix: str
) -> None:
    daily = session(window=BudgetWindow.DAY)
    today = await reserved(guards, "h1", CENT, daily)
    yesterday = today.model_copy(update={"id": "late", "at": today.at - timedelta(days=1)})
    entry = await sent(guards, today)
    await guards.end_model_call(entry.permit, Verdict.SUCCESS, None, charge(yesterday, 49 * CENT))
    status = await books(guards, prefix, daily)
    assert (status.settled, status.window) == (0, today.at.date().isoformat())
    assert status.resets_at is not None
    assert today.at < status.resets_at <= today.at + timedelta(days=1)


async def test_a_worker_whose_clock_is_a_month_off_books_by_the_clock_of_redis(
    guards: RedisGuards, prefix: str
) -> None:
    guards.budget.correct(WindowMoved(datetime.now(UTC) + timedelta(days=40)))
    hold = await reserved(guards, "h1", CENT, session(window=BudgetWindow.MONTH))
    assert abs(hold.at - datetime.now(UTC)) < timedelta(minutes=1)
    status = await books(guards, prefix, session(window=BudgetWindow.MONTH))
    assert status.held == CENT
    assert status.window == hold.at.date().replace(day=1).isoformat()


async def test_the_epoch_stays_until_redis_is_wiped(guards: RedisGuards, other_guards: RedisGuards) -> None:
    first = await guards.reserve(reservation("h1", CENT))
    second = await other_guards.reserve(reservation("h2", CENT))
    assert first.epoch == second.epoch != ""


async def test_a_reservation_that_makes_no_sense_is_refused(guards: RedisGuards) -> None:
    with pytest.raises(InvalidInput, match="no model"):
        await guards.reserve(reservation("h1"))
    with pytest.raises(InvalidInput, match="twice"):
        await guards.reserve(reservation("h1", CENT, scopes=(session(), session(DOLLAR))))
