"""What operators read of the guards."""

from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerStatus
from surefoot.contracts.budgets import BudgetLimit, Scope, ScopeKind, ScopeStatus
from surefoot.errors import StoreUnavailable
from surefoot.reliability.breaker import RedisBreaker
from surefoot.reliability.budget import Budget, WindowMoved
from surefoot.reliability.ledger import Ledger
from surefoot.reliability.store import Store

CLOCK_TRIES = 3


class RedisOffice:
    """The port ``GuardOffice`` on Redis."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._breaker = RedisBreaker(store, prefix)
        self._budget = Budget(store, prefix)
        self._ledger = Ledger(store, prefix)

    async def breakers(self) -> tuple[BreakerStatus, ...]:
        """Every breaker that has let a call through, by name."""
        names = await self._breaker.names()
        return tuple(await self._store.many([self._breaker.status_step(name) for name in names]))

    async def budget(self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit) -> ScopeStatus:
        """The books of the current window, with ``default`` where no operator has set another limit."""
        scope = Scope(kind=kind, subject=subject, budget=default)
        for _ in range(CLOCK_TRIES):
            status = await self._store.one(self._budget.status_step(tenant, scope))
            if not isinstance(status, WindowMoved):
                return status
            self._budget.correct(status)
        raise StoreUnavailable("Redis's clock is in another month or day at each look; check its server's clock")

    async def claim(self, effect_key: str) -> JsonObject | None:
        """The claim of a side effect; None if there is none."""
        return await self._ledger.show(effect_key)
