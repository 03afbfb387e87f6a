"""What operators read of the guards, and do to them."""

from collections.abc import Callable
from typing import Literal

from pydantic import JsonValue

from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerState, BreakerStatus, Transition
from surefoot.contracts.budgets import BudgetLimit, Scope, ScopeKind, ScopeStatus
from surefoot.contracts.guardrails import Act
from surefoot.errors import StoreUnavailable
from surefoot.reliability.amounts import nanos
from surefoot.reliability.breaker import RedisBreaker
from surefoot.reliability.budget import Budget, WindowMoved
from surefoot.reliability.ledger import Ledger, written
from surefoot.reliability.store import Step, Store

CLOCK_TRIES = 3


class RedisOffice:
    """The ports ``GuardOffice`` and ``GuardDesk`` on Redis."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._breaker = RedisBreaker(store, prefix)
        self._budget = Budget(store, prefix)
        self._ledger = Ledger(store, prefix)

    async def breakers(self) -> tuple[BreakerStatus, ...]:
        """Every breaker that has let a call through, by name."""
        names = await self._breaker.names()
        return tuple(await self._store.many([self._breaker.status_step(name) for name in names]))

    async def force_open(self, name: str, act: Act) -> Transition | None:
        return await self._forced(name, BreakerState.FORCED_OPEN, act)

    async def disable(self, name: str, act: Act) -> Transition | None:
        return await self._forced(name, BreakerState.DISABLED, act)

    async def reset_breaker(self, name: str, act: Act) -> Transition | None:
        return await self._forced(name, BreakerState.CLOSED, act)

    async def _forced(self, name: str, state: BreakerState, act: Act) -> Transition | None:
        return await self._breaker.force(name, state, f"{act.reason} ({act.by})", act.id)

    async def budget(self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit) -> ScopeStatus:
        """The books of the current window, with ``default`` where no operator has set another limit."""
        scope = Scope(kind=kind, subject=subject, budget=default)
        return await self._now(lambda: self._budget.status_step(tenant, scope))

    async def set_budget(
        self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit, limit: int | None, act: Act
    ) -> ScopeStatus:
        return await self._acted("limit", tenant, Scope(kind=kind, subject=subject, budget=default), limit, act)

    async def top_up(
        self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit, amount: int, act: Act
    ) -> ScopeStatus:
        return await self._acted("topup", tenant, Scope(kind=kind, subject=subject, budget=default), nanos(amount), act)

    async def reset_budget(
        self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit, act: Act
    ) -> ScopeStatus:
        return await self._acted("reset", tenant, Scope(kind=kind, subject=subject, budget=default), None, act)

    async def _acted(
        self, word: Literal["limit", "topup", "reset"], tenant: str, scope: Scope, amount: int | None, act: Act
    ) -> ScopeStatus:
        return await self._now(lambda: self._budget.act_step(word, tenant, scope, amount, act))

    async def _now(self, step: Callable[[], Step[ScopeStatus | WindowMoved]]) -> ScopeStatus:
        """Do it in the window that it is by Redis's clock."""
        for _ in range(CLOCK_TRIES):
            status = await self._store.one(step())
            if not isinstance(status, WindowMoved):
                return status
            self._budget.correct(status)
        raise StoreUnavailable("Redis's clock is in another month or day at each look; check its server's clock")

    async def acts(self, tenant: str, kind: ScopeKind, subject: str) -> tuple[JsonObject, ...]:
        """The latest acts on a budget, newest first."""
        return await self._store.one(self._budget.acts_step(tenant, kind, subject))

    async def claim(self, effect_key: str) -> JsonObject | None:
        """The claim of a side effect; None if there is none."""
        return await self._ledger.show(effect_key)

    async def settle_done(self, effect_key: str, content: JsonValue, act: Act) -> JsonObject:
        return await self._ledger.settle(effect_key, written(content), act)

    async def settle_not_done(self, effect_key: str, act: Act) -> JsonObject:
        return await self._ledger.settle(effect_key, None, act)
