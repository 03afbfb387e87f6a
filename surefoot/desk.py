"""The ports of operators: what they read of the guards, and do to them."""

from datetime import timedelta
from typing import Protocol

from pydantic import JsonValue

from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerStatus, Transition
from surefoot.contracts.budgets import BudgetLimit, ScopeKind, ScopeStatus
from surefoot.contracts.guardrails import Act
from surefoot.contracts.routing import Route


class GuardOffice(Protocol):
    """What operators read."""

    async def breakers(self) -> tuple[BreakerStatus, ...]: ...

    async def budget(self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit) -> ScopeStatus: ...

    async def claim(self, effect_key: str) -> JsonObject | None: ...


class GuardDesk(GuardOffice, Protocol):
    """What operators do. Each act is kept with who and why, and repeated under its id changes nothing more.

    Every method raises ``StoreUnavailable`` when the store does not answer in time, and ``InvalidInput`` for what
    cannot be done; then nothing has changed.
    """

    async def force_open(self, name: str, act: Act) -> Transition | None:
        """Refuse every call until the breaker is reset; None if it was held open already."""
        ...

    async def disable(self, name: str, act: Act) -> Transition | None:
        """Let every call through until the breaker is reset; None if it was disabled already."""
        ...

    async def reset_breaker(self, name: str, act: Act) -> Transition | None:
        """Close the breaker and forget what it counted."""
        ...

    async def set_budget(
        self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit, limit: int | None, act: Act
    ) -> ScopeStatus:
        """Put a limit in the place of the profile's, until None gives it back."""
        ...

    async def top_up(
        self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit, amount: int, act: Act
    ) -> ScopeStatus:
        """Raise the limit of this window."""
        ...

    async def reset_budget(
        self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit, act: Act
    ) -> ScopeStatus:
        """Begin the window anew: nothing spent, nothing topped up; calls in flight stay held."""
        ...

    async def acts(self, tenant: str, kind: ScopeKind, subject: str) -> tuple[JsonObject, ...]:
        """The latest acts on a budget, newest first."""
        ...

    async def settle_done(self, effect_key: str, content: JsonValue, act: Act) -> JsonObject:
        """Say that an unknown or doubtful effect has happened, with its result; returns the claim.

        Raises ``NotFound`` if there is no such claim.
        """
        ...

    async def settle_not_done(self, effect_key: str, act: Act) -> JsonObject:
        """Say that an unknown or doubtful effect has not happened, so that it may be tried again."""
        ...


class RouteDesk(Protocol):
    """Which models runs are led around. Each method raises ``StoreUnavailable``, and may be repeated."""

    async def routes(self) -> tuple[Route, ...]:
        """Those that hold, by model."""
        ...

    async def put(self, model: str, to: str, incident: str, lease: timedelta) -> Route:
        """Lead the runs of a model to another one, in the place of any earlier route; renews the same one."""
        ...

    async def renew(self, model: str, incident: str, lease: timedelta) -> bool:
        """Let the route of this incident hold longer; False if there is none."""
        ...

    async def drop(self, model: str, incident: str = "") -> None:
        """End the route of this incident, or whoever's it is if none is named."""
        ...
