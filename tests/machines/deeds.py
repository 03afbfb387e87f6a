"""One call of every method of the guards, in a world where something has happened before."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TypeAlias

from pydantic import BaseModel

from surefoot.contracts.breakers import BreakerState, Permit, Verdict
from surefoot.contracts.budgets import Hold
from surefoot.contracts.models import ModelBooking
from surefoot.contracts.tools import Claim, ToolBooking
from surefoot.ports import Fate
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from tests.reliability.given import (
    CENT,
    DOLLAR,
    LEASE,
    NEVER_ON_COUNT,
    TRIPS_AT_ONCE,
    begin,
    charge,
    held,
    permit,
    proceeding,
    reservation,
    session,
    tenant,
)

SCOPES = (session(), tenant(DOLLAR))
DONE = "done before"


@dataclass(frozen=True)
class Given:
    """What a call needs that others did before it."""

    fresh: Hold
    """Reserved."""
    used: Hold
    """Sent, by its first attempt."""
    permit: Permit
    """Whose failure opens the breaker."""
    claim: Claim
    """Sent too."""


Deed: TypeAlias = Callable[[RedisGuards, Given], Awaitable[object]]


async def given_by(guards: RedisGuards) -> Given:
    """A hold in use, one that waits, a claim at work, and an effect that is done."""
    fresh = held(await guards.reserve(reservation("fresh", CENT, scopes=SCOPES)))
    used = held(await guards.reserve(reservation("used", 2 * CENT, scopes=SCOPES)))
    model = permit(await guards.begin_model_call(used, 1, TRIPS_AT_ONCE))
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    done, _ = proceeding(await begin(guards, DONE))
    await guards.complete_tool_call(done, {"order": "A-0"}, None)
    return Given(fresh, used, model, claim)


async def refuse_everything(guards: RedisGuards) -> None:
    for name in ("scripted:m0", "orders"):
        await guards.breaker.force(name, BreakerState.FORCED_OPEN, "on purpose", f"act {name}")


def _failing(fate: Fate, *, reached: bool = True) -> Deed:
    return lambda guards, given: guards.fail_tool_call(
        given.claim, given.permit, Verdict.FAILURE, None, fate=fate, reached=reached
    )


BEGINNINGS: Mapping[str, Deed] = {
    "begin a model call": lambda guards, given: guards.begin_model_call(given.fresh, 1, NEVER_ON_COUNT),
    "begin its next attempt": lambda guards, given: guards.begin_model_call(given.used, 2, NEVER_ON_COUNT),
    "begin a tool call": lambda guards, _: begin(guards, "another effect"),
    "begin and mark sent": lambda guards, _: begin(guards, "another effect", mark_sent=True),
    "take over": lambda guards, _: begin(guards, attempt=2, mark_sent=True),
}
"""Those that put back what they took when the breaker refuses."""

DEEDS: Mapping[str, Deed] = {
    **BEGINNINGS,
    "reserve": lambda guards, _: guards.reserve(reservation("new", CENT, scopes=SCOPES)),
    "reserve in vain": lambda guards, _: guards.reserve(reservation("new", 48 * CENT, scopes=SCOPES)),
    "release": lambda guards, given: guards.release(given.fresh),
    "close what was reserved": lambda guards, given: guards.close_hold(given.fresh),
    "close what was sent": lambda guards, given: guards.close_hold(given.used),
    "settle across the soft line": lambda guards, given: guards.end_model_call(
        given.permit, Verdict.FAILURE, None, charge(given.used, 45 * CENT)
    ),
    "settle nothing": lambda guards, given: guards.end_model_call(given.permit, Verdict.NEUTRAL, None, None),
    "book a model call": lambda guards, given: guards.book(
        ModelBooking(charge=charge(given.used, CENT, unknown=True), permit=given.permit)
    ),
    "find it busy": lambda guards, _: begin(guards, owner="run/2"),
    "find it done": lambda guards, _: begin(guards, DONE, owner="run/2"),
    "mark sent": lambda guards, given: guards.mark_sent(given.claim, lands_within=LEASE),
    "renew": lambda guards, given: guards.renew(given.claim, LEASE),
    "complete": lambda guards, given: guards.complete_tool_call(given.claim, {"order": "A-1"}, given.permit),
    "fail without effect, for good": _failing(Fate.RELEASED),
    "fail without effect": _failing(Fate.CLEAR),
    "fail before the target": _failing(Fate.CLEAR, reached=False),
    "fail in doubt": _failing(Fate.DOUBT),
    "fail, outcome unknown": _failing(Fate.UNKNOWN),
    "follow": lambda guards, _: guards.follow(DONE, LEASE),
    "book a tool call": lambda guards, given: guards.book(
        ToolBooking(claim=given.claim, content="booked", permit=given.permit)
    ),
}

MOMENTS = {
    "at",
    "open_until",
    "epoch",
    "store",
    "episode",
    "remaining",
    "retry_after",
    "settle_after",
    "lease",
    "lands",
    "doubt",
}
"""What differs between two worlds in which the same happens."""


def timeless(answer: object, also: frozenset[str] = frozenset()) -> object:
    """An answer, and all that it holds, without what depends on when and where it was given."""
    if isinstance(answer, BaseModel):
        return timeless(answer.model_dump(), also)
    if is_dataclass(answer) and not isinstance(answer, type):
        values = {field.name: getattr(answer, field.name) for field in fields(answer)}
        return type(answer).__name__, timeless(values, also)
    if isinstance(answer, dict):
        return {name: timeless(value, also) for name, value in answer.items() if name not in MOMENTS | also}
    if isinstance(answer, list | tuple):
        return [timeless(item, also) for item in answer]
    return answer


async def state_of(guards: RedisGuards, prefix: str) -> object:
    """Everything that the guards keep. A fence may have been given out twice, so it is not compared."""
    office = RedisOffice(guards.store, prefix)
    books = [await office.budget("acme", scope.kind, scope.subject, scope.budget) for scope in SCOPES]
    claims = [await office.claim(key) for key in ("effect", "another effect", DONE)]
    return timeless((books, claims, await office.breakers()), also=frozenset({"fence"}))
