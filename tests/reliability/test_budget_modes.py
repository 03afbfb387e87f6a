"""Budgets that enforce, observe or are off, when they begin anew, and what a price that drifted does to them."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.budgets import BudgetLimit, BudgetMode, BudgetWindow, Crossing, PriceDrift
from surefoot.contracts.guardrails import Answer
from surefoot.contracts.models import ModelBooking
from surefoot.errors import InvalidAmount, InvalidInput
from surefoot.ports import OverBudget
from surefoot.reliability.amounts import LARGEST
from surefoot.reliability.guards import RedisGuards
from tests.reliability.given import (
    CENT,
    DOLLAR,
    NEVER_ON_COUNT,
    books,
    charge,
    held,
    permit,
    reservation,
    session,
    spend,
    tenant,
)

OBSERVED = session(10 * CENT, mode=BudgetMode.OBSERVE)
OFF = session(10 * CENT, subject="off", mode=BudgetMode.OFF)


def lines(crossings: tuple[Crossing, ...]) -> list[str]:
    return [crossing.line for crossing in crossings]


async def test_an_observed_budget_refuses_nothing_and_tells_each_line_once(guards: RedisGuards, prefix: str) -> None:
    told = [lines((await spend(guards, f"h{number}", 6 * CENT, OBSERVED)).crossings) for number in range(4)]
    assert told == [[], ["soft", "hard"], [], []]
    assert (await books(guards, prefix, OBSERVED)).settled == 24 * CENT


async def test_an_observed_budget_asks_for_no_cheaper_model(guards: RedisGuards) -> None:
    await spend(guards, "h0", 9 * CENT, OBSERVED)
    answer = await guards.reserve(reservation("h1", 50 * CENT, CENT, scopes=(OBSERVED,)))
    assert (answer.answer, answer.rung, answer.tight_scope) == (Answer.GO, 0, None)


async def test_an_observed_budget_does_not_stop_another_attempt(guards: RedisGuards) -> None:
    hold = held(await guards.reserve(reservation("h1", 8 * CENT, scopes=(OBSERVED,))))
    for attempt in (1, 2, 3):
        entry = await guards.begin_model_call(hold, attempt, NEVER_ON_COUNT)
        assert not isinstance(entry, OverBudget)


async def test_beside_an_observed_budget_the_enforced_one_still_decides(guards: RedisGuards) -> None:
    answer = await guards.reserve(reservation("h1", 20 * CENT, scopes=(OBSERVED, tenant(CENT))))
    assert answer.answer is Answer.NEVER_FITS
    assert answer.tight_scope is not None
    assert answer.tight_scope.subject == "acme"


async def test_a_budget_that_is_off_is_neither_checked_nor_booked(guards: RedisGuards, prefix: str) -> None:
    receipt = await spend(guards, "h1", DOLLAR, OFF, tenant(2 * DOLLAR))
    off, checked = await books(guards, prefix, OFF), await books(guards, prefix, tenant(2 * DOLLAR))
    assert receipt.crossings == ()
    assert (off.settled, off.held) == (0, 0)
    assert checked.settled == DOLLAR


async def test_with_every_budget_off_a_call_is_free_to_go(guards: RedisGuards) -> None:
    hold = held(await guards.reserve(reservation("h1", DOLLAR, scopes=(OFF,))))
    assert hold.scopes == (OFF,)
    await guards.release(hold)


@pytest.mark.parametrize("window", [BudgetWindow.DAY, BudgetWindow.MONTH])
async def test_a_refusal_says_when_the_budget_begins_anew(guards: RedisGuards, window: BudgetWindow) -> None:
    scope = session(10 * CENT, window=window)
    await spend(guards, "h0", 9 * CENT, scope)
    refused = await guards.reserve(reservation("h1", 2 * CENT, scopes=(scope,)))
    hold = held(await guards.reserve(reservation("h2", CENT, scopes=(scope,))))
    over = await guards.begin_model_call(hold.model_copy(update={"id": "h3"}), 1, NEVER_ON_COUNT)
    assert refused.tight_scope is not None
    assert isinstance(over, OverBudget)
    for status in (refused.tight_scope, over.scope):
        assert status.resets_at is not None
        assert timedelta() < status.resets_at - datetime.now(UTC) <= timedelta(days=31)
        assert status.resets_at.time().isoformat() == "00:00:00"
        assert window is BudgetWindow.DAY or status.resets_at.day == 1


@pytest.mark.parametrize("wrong", [{"limit": -1}, {"limit": LARGEST + 1}, {"soft_percent": 101}, {"mode": "guess"}])
def test_a_budget_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BudgetLimit.model_validate({"limit": CENT, **wrong})


@pytest.mark.parametrize("percent", [101, -1, 80.0, float("nan"), None])
async def test_a_soft_line_above_the_hard_one_never_reaches_the_books(
    guards: RedisGuards, prefix: str, percent: object
) -> None:
    scope = session()
    wrong = scope.model_copy(update={"budget": scope.budget.model_copy(update={"soft_percent": percent})})
    with pytest.raises(InvalidInput, match="soft_percent"):
        await guards.reserve(reservation("h1", CENT, scopes=(wrong,)))
    assert (await books(guards, prefix)).held == 0


async def test_a_call_dearer_than_its_bound_is_booked_told_and_its_model_reserved_dearer(
    guards: RedisGuards, other_guards: RedisGuards, prefix: str
) -> None:
    receipt = await spend(guards, "h1", 3 * CENT, bound=2 * CENT)
    assert receipt.drift == PriceDrift(model="scripted:m0", model_version="m", bound=2 * CENT, cost=3 * CENT)
    assert (await books(guards, prefix)).settled == 3 * CENT
    for number, worker in enumerate((guards, other_guards)):
        hold = held(await worker.reserve(reservation(f"next{number}", 2 * CENT)))
        assert (hold.bound, hold.dearness) == (3 * CENT, 1500)
    assert (await books(guards, prefix)).held == 6 * CENT


async def test_a_call_within_its_raised_bound_is_no_drift(guards: RedisGuards) -> None:
    await spend(guards, "h1", 3 * CENT, bound=2 * CENT)
    assert (await spend(guards, "h2", 3 * CENT, bound=2 * CENT)).drift is None


async def test_a_drift_told_twice_raises_the_price_once(guards: RedisGuards) -> None:
    hold = held(await guards.reserve(reservation("h1", 2 * CENT)))
    entry = await guards.begin_model_call(hold, 1, NEVER_ON_COUNT)
    receipts = [
        await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, charge(hold, 4 * CENT)) for _ in range(2)
    ]
    booked = await guards.book(ModelBooking(charge=charge(hold, 4 * CENT)))
    assert receipts[0].drift == receipts[1].drift == booked.drift is not None
    assert held(await guards.reserve(reservation("h2", CENT))).bound == 2 * CENT


async def test_a_price_that_drifts_on_is_raised_on_and_never_lowered(guards: RedisGuards) -> None:
    await spend(guards, "h1", 4 * CENT, bound=2 * CENT)
    early = held(await guards.reserve(reservation("h2", 2 * CENT))).model_copy(
        update={"id": "from-before", "bound": 2 * CENT, "dearness": 1000}
    )
    entry = await guards.begin_model_call(early, 1, NEVER_ON_COUNT)
    await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, charge(early, 3 * CENT))
    assert held(await guards.reserve(reservation("h3", CENT))).dearness == 2000
    await spend(guards, "h4", 3 * CENT, bound=CENT)
    assert held(await guards.reserve(reservation("h5", CENT))).dearness == 3000


async def test_a_dearer_model_gives_way_to_the_next_rung(guards: RedisGuards) -> None:
    await spend(guards, "h1", 20 * CENT, bound=10 * CENT)
    answer = await guards.reserve(reservation("h2", 15 * CENT, CENT))
    assert answer.rung == 1


async def test_a_drift_does_not_make_an_amount_of_what_is_none(guards: RedisGuards) -> None:
    await spend(guards, "h1", 2 * CENT, bound=CENT)
    await guards.reserve(reservation("h2", CENT))
    with pytest.raises(InvalidAmount):
        await guards.reserve(reservation("h3", float("nan")))  # type: ignore[arg-type]  # on purpose
