"""Guards whose state a test writes down, and guards that cannot be reached."""

from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerState, BreakerStatus
from surefoot.contracts.budgets import BudgetLimit, ScopeKind, ScopeStatus
from surefoot.errors import StoreUnavailable


class PlainOffice:
    """One open breaker, one closed, one budget and one claim."""

    async def breakers(self) -> tuple[BreakerStatus, ...]:
        return (
            BreakerStatus(name="create_order", state=BreakerState.OPEN, reason="5 failures in 30 s"),
            BreakerStatus(name="lookup_order", state=BreakerState.CLOSED),
        )

    async def budget(self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit) -> ScopeStatus:
        return ScopeStatus(
            kind=kind, subject=subject, limit=default.limit, soft_line=0, settled=default.limit - 1, held=0
        )

    async def claim(self, effect_key: str) -> JsonObject | None:
        return {"state": "unknown", "content": "refunded to bob@example.com"}


class ClosedOffice:
    """Redis is away."""

    async def breakers(self) -> tuple[BreakerStatus, ...]:
        raise StoreUnavailable("Redis at 127.0.0.1:1 did not answer within 0.3 s")

    async def budget(self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit) -> ScopeStatus:
        raise StoreUnavailable("Redis at 127.0.0.1:1 did not answer within 0.3 s")

    async def claim(self, effect_key: str) -> JsonObject | None:
        raise StoreUnavailable("Redis at 127.0.0.1:1 did not answer within 0.3 s")


class Breakers(PlainOffice):
    """One breaker, as a test wants it, and how often it was looked at."""

    def __init__(self, episode: str, state: BreakerState = BreakerState.OPEN) -> None:
        self.episode, self.state, self.looks = episode, state, 0

    async def breakers(self) -> tuple[BreakerStatus, ...]:
        self.looks += 1
        return (BreakerStatus(name="create_order", state=self.state, episode=self.episode),)
