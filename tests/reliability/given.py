"""What the tests of the guards begin with, in few words."""

from datetime import timedelta

from surefoot.contracts.breakers import BreakerPolicy, Permit, Verdict
from surefoot.contracts.budgets import (
    BudgetLimit,
    BudgetMode,
    BudgetWindow,
    Charge,
    Hold,
    Scope,
    ScopeKind,
    ScopeStatus,
)
from surefoot.contracts.guardrails import Act
from surefoot.contracts.tools import Claim
from surefoot.ports import Admitted, Proceed, Receipt, Refused, Reservation, Reserved, Rung
from surefoot.reliability.breaker import Breaker
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice

CENT = 10_000_000
DOLLAR = 100 * CENT
LEASE = timedelta(seconds=5)
SHORT = timedelta(milliseconds=60)
NEVER_ON_COUNT = BreakerPolicy(failures=1000, consecutive=1000)
TRIPS_AT_ONCE = BreakerPolicy(consecutive=1)
QUICK = BreakerPolicy(consecutive=1, open_for=SHORT)


def session(
    limit: int = DOLLAR // 2,
    *,
    subject: str = "s1",
    soft: int = 80,
    window: BudgetWindow = BudgetWindow.FOREVER,
    mode: BudgetMode = BudgetMode.ENFORCE,
) -> Scope:
    budget = BudgetLimit(limit=limit, soft_percent=soft, window=window, mode=mode)
    return Scope(kind=ScopeKind.SESSION, subject=subject, budget=budget)


def tenant(limit: int) -> Scope:
    return Scope(kind=ScopeKind.TENANT, subject="acme", budget=BudgetLimit(limit=limit))


def reservation(
    hold_id: str, *bounds: int, scopes: tuple[Scope, ...] | None = None, look_at: str = "", own: bool = False
) -> Reservation:
    return Reservation(
        hold_id=hold_id,
        tenant="acme",
        scopes=(session(),) if scopes is None else scopes,
        rungs=tuple(Rung(f"scripted:m{number}", bound) for number, bound in enumerate(bounds)),
        output_tokens=100,
        breakers=(look_at,) if look_at else (),
        own_breakers=(look_at,) if own else (),
    )


def held(reserved: Reserved) -> Hold:
    assert reserved.hold is not None, reserved
    return reserved.hold


def act(id: str = "act-1") -> Act:
    return Act(id=id, by="ann", reason="a promotion")


def charge(hold: Hold, cost: int, attempt: int = 1, *, unknown: bool = False) -> Charge:
    return Charge(hold=hold, attempt=attempt, cost=cost, model_version="m", unknown=unknown)


def permit(admitted: Admitted | Refused | object) -> Permit:
    assert isinstance(admitted, Admitted), admitted
    return admitted.permit


async def admitted(breaker: Breaker, token: str, policy: BreakerPolicy, name: str = "orders") -> Permit:
    return permit(await breaker.admit(name, policy, token))


async def begin(
    guards: RedisGuards,
    key: str | None = "effect",
    *,
    owner: str = "run/1",
    attempt: int = 1,
    lease: timedelta = LEASE,
    mark_sent: bool = False,
    lands_within: timedelta = LEASE,
    breaker: BreakerPolicy = NEVER_ON_COUNT,
    tenant: str = "",
) -> object:
    return await guards.begin_tool_call(
        tool="orders",
        breaker=breaker,
        effect_key=key,
        owner=owner,
        attempt=attempt,
        lease=lease,
        mark_sent=mark_sent,
        lands_within=lands_within,
        tenant=tenant,
    )


def proceeding(entry: object) -> tuple[Claim, Permit]:
    assert isinstance(entry, Proceed), entry
    assert entry.claim is not None
    return entry.claim, entry.permit


async def spend(guards: RedisGuards, hold_id: str, cost: int, *scopes: Scope, bound: int | None = None) -> Receipt:
    """A call that is held at its cost, or at another bound, and settled."""
    wanted = reservation(hold_id, cost if bound is None else bound, scopes=scopes or None)
    hold = held(await guards.reserve(wanted))
    entry = await guards.begin_model_call(hold, 1, NEVER_ON_COUNT)
    return await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, charge(hold, cost))


async def books(guards: RedisGuards, prefix: str, scope: Scope | None = None) -> ScopeStatus:
    scope = scope or session()
    return await RedisOffice(guards.store, prefix).budget("acme", scope.kind, scope.subject, scope.budget)
