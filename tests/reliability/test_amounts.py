"""What is not an amount of money never reaches the books."""

import math

import pytest

from surefoot.contracts.breakers import Verdict
from surefoot.errors import InvalidAmount
from surefoot.ports import Reservation, Rung
from surefoot.reliability.amounts import LARGEST
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from tests.reliability.given import CENT, NEVER_ON_COUNT, charge, held, permit, reservation, session

NOT_MONEY = [math.nan, math.inf, -1, -0.5, 0.1, 1.0, True, "5", None, LARGEST + 1]


@pytest.mark.parametrize("amount", NOT_MONEY)
async def test_a_bound_that_is_no_amount_is_refused(guards: RedisGuards, prefix: str, amount: object) -> None:
    wanted = Reservation("h1", "acme", (session(),), (Rung("scripted:m", amount),), 100, ())  # type: ignore[arg-type]  # on purpose
    with pytest.raises(InvalidAmount, match="nano-dollars"):
        await guards.reserve(wanted)
    assert await RedisOffice(guards.store, prefix).breakers() == ()


@pytest.mark.parametrize("amount", NOT_MONEY)
async def test_a_cost_that_is_no_amount_is_refused_and_the_hold_stays(
    guards: RedisGuards, prefix: str, amount: object
) -> None:
    hold = held(await guards.reserve(reservation("h1", CENT)))
    entry = await guards.begin_model_call(hold, 1, NEVER_ON_COUNT)
    wrong = charge(hold, CENT).model_copy(update={"cost": amount})
    with pytest.raises(InvalidAmount):
        await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, wrong)
    scope = session()
    status = await RedisOffice(guards.store, prefix).budget("acme", scope.kind, scope.subject, scope.budget)
    assert (status.settled, status.held) == (0, CENT)


async def test_a_limit_or_a_hold_that_is_no_amount_is_refused(guards: RedisGuards) -> None:
    hold = held(await guards.reserve(reservation("h1", CENT)))
    limit = session().budget.model_copy(update={"limit": math.nan})
    endless = session().model_copy(update={"budget": limit})
    with pytest.raises(InvalidAmount):
        await guards.reserve(reservation("h2", CENT, scopes=(endless,)))
    with pytest.raises(InvalidAmount):
        await guards.release(hold.model_copy(update={"bound": -CENT}))


async def test_the_largest_amounts_are_exact(guards: RedisGuards, prefix: str) -> None:
    scope = session(LARGEST)
    hold = held(await guards.reserve(reservation("h1", LARGEST - 1, scopes=(scope,))))
    await guards.reserve(reservation("h2", 1, scopes=(scope,)))
    refused = await guards.reserve(reservation("h3", 1, scopes=(scope,)))
    status = await RedisOffice(guards.store, prefix).budget("acme", scope.kind, scope.subject, scope.budget)
    assert refused.hold is None
    assert status.held == LARGEST == 9_007_199_254_740_992
    assert hold.bound == LARGEST - 1
    assert status.soft_line == LARGEST * 80 // 100
