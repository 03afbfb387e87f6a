"""What operators do: to breakers, budgets and claims, with who and why, once however often they ask."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from pydantic import ValidationError

from surefoot.contracts.breakers import BreakerState, Verdict
from surefoot.contracts.budgets import BudgetWindow
from surefoot.contracts.guardrails import Act, Answer
from surefoot.contracts.tools import Claim
from surefoot.errors import InvalidAmount, InvalidInput, NotFound
from surefoot.ports import Fate, GuardDesk, Proceed, Refused, Replay
from surefoot.reliability.amounts import LARGEST
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from tests.reliability.given import (
    CENT,
    DOLLAR,
    LEASE,
    SHORT,
    TRIPS_AT_ONCE,
    act,
    begin,
    books,
    charge,
    held,
    permit,
    proceeding,
    reservation,
    session,
    spend,
)

SESSION = session()
WHOSE = ("acme", SESSION.kind, SESSION.subject, SESSION.budget)
LAPSED = SHORT.total_seconds() + 0.02


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


Given = Callable[[RedisGuards], Awaitable[Claim]]


async def doubtful(guards: RedisGuards, *, lands_within: timedelta = SHORT) -> Claim:
    """A claim whose holder died in mid-call."""
    claim, _ = proceeding(await begin(guards, lease=SHORT, mark_sent=True, lands_within=lands_within))
    await asyncio.sleep(LAPSED)
    return claim


async def unknown(guards: RedisGuards) -> Claim:
    claim, _ = proceeding(await begin(guards, mark_sent=True, lands_within=timedelta()))
    await guards.fail_tool_call(claim, None, Verdict.NEUTRAL, None, fate=Fate.UNKNOWN)
    await asyncio.sleep(0.002)
    return claim


@pytest.mark.parametrize("given", [doubtful, unknown])
async def test_an_effect_settled_as_done_is_replayed_with_the_operator_s_result(
    desk: GuardDesk, guards: RedisGuards, given: Given
) -> None:
    claim = await given(guards)
    shown = [await desk.settle_done("effect", {"fax": "F-1"}, act("1")) for _ in range(2)]
    assert shown[0] == shown[1]
    assert (shown[0]["state"], shown[0]["by"], shown[0]["reason"]) == ("done", "ann", "a promotion")
    assert await begin(guards, owner="run/2") == Replay({"fax": "F-1"}, 1)
    late = await guards.complete_tool_call(claim, "late", None)
    assert late.superseded
    assert await begin(guards, owner="run/3") == Replay({"fax": "F-1"}, 1)


@pytest.mark.parametrize("given", [doubtful, unknown])
async def test_an_effect_settled_as_not_done_may_be_tried_again_and_its_old_holder_is_refused(
    desk: GuardDesk, guards: RedisGuards, given: Given
) -> None:
    claim = await given(guards)
    shown = await desk.settle_not_done("effect", act("1"))
    assert not await guards.renew(claim, LEASE)
    second, _ = proceeding(await begin(guards, owner="run/2", mark_sent=True))
    again = await desk.settle_not_done("effect", act("1"))
    assert (shown["state"], shown["settled"]) == ("free", "free")
    assert (second.attempts, second.in_doubt) == (1, False)
    assert (again["state"], again["by"]) == ("sent", "ann"), "a repetition leaves the new holder alone"
    assert (await guards.complete_tool_call(claim, "late", None)).superseded


async def test_who_follows_a_claim_is_woken_when_it_is_settled(
    desk: GuardDesk, guards: RedisGuards, other_guards: RedisGuards
) -> None:
    await begin(guards, lease=timedelta(milliseconds=300), mark_sent=True, lands_within=SHORT)
    follower = asyncio.create_task(other_guards.follow("effect", timedelta(seconds=5)))
    await asyncio.sleep(0.32)
    await desk.settle_done("effect", "sent", act())
    assert await follower in (Replay("sent", 1), None)


async def test_a_live_claim_is_not_settled(desk: GuardDesk, guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    with pytest.raises(InvalidInput, match="somebody works on it"):
        await desk.settle_done("effect", "x", act())
    assert await guards.renew(claim, LEASE)


async def test_a_claim_whose_request_may_still_land_is_not_settled_as_not_done(
    desk: GuardDesk, guards: RedisGuards
) -> None:
    await doubtful(guards, lands_within=LEASE)
    with pytest.raises(InvalidInput, match="may still land"):
        await desk.settle_not_done("effect", act())
    assert (await desk.settle_done("effect", "it did", act()))["state"] == "done"


async def test_what_is_done_clear_or_not_there_is_not_settled(desk: GuardDesk, guards: RedisGuards) -> None:
    with pytest.raises(NotFound, match="no claim 'effect'"):
        await desk.settle_done("effect", "x", act())
    claim, _ = proceeding(await begin(guards))
    await guards.fail_tool_call(claim, None, Verdict.NEUTRAL, None, fate=Fate.CLEAR)
    with pytest.raises(InvalidInput, match="nothing about it is in doubt"):
        await desk.settle_not_done("effect", act())
    claim, _ = proceeding(await begin(guards))
    await guards.complete_tool_call(claim, "done", None)
    with pytest.raises(InvalidInput, match="its result is recorded"):
        await desk.settle_not_done("effect", act())


async def test_a_result_that_is_not_json_settles_nothing(desk: GuardDesk, guards: RedisGuards) -> None:
    await unknown(guards)
    with pytest.raises(InvalidInput, match="not JSON"):
        await desk.settle_done("effect", float("nan"), act())
    shown = await desk.claim("effect")
    assert shown is not None
    assert shown["state"] == "unknown"
