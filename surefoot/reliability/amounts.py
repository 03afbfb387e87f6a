"""Money on its way to Redis: whole nano-dollars, or it is refused."""

from surefoot.contracts.budgets import Charge, Hold, Scope
from surefoot.errors import InvalidAmount, InvalidInput

LARGEST = 2**53
"""The largest integer that Lua keeps exact."""


def nanos(amount: object) -> int:
    """The amount itself, if it is one; raises ``InvalidAmount`` for anything else, NaN and True included."""
    if type(amount) is not int or not 0 <= amount <= LARGEST:
        raise InvalidAmount(f"not an amount of nano-dollars: {amount!r}; a whole number from 0 to 2**53 is")
    return amount


def check_scopes(scopes: tuple[Scope, ...]) -> None:
    for scope in scopes:
        nanos(scope.budget.limit)
        percent: object = scope.budget.soft_percent
        if type(percent) is not int or not 0 <= percent <= 100:
            raise InvalidInput(f"soft_percent of {scope.subject!r} is {percent!r}; a whole number from 0 to 100 is one")


def check_hold(hold: Hold) -> Hold:
    nanos(hold.bound)
    check_scopes(hold.scopes)
    return hold


def check_charge(charge: Charge) -> Charge:
    nanos(charge.cost)
    check_hold(charge.hold)
    return charge
