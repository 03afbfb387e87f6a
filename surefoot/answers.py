"""What the guards are asked and what they answer, beyond the messages that enter a history."""

from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import JsonValue

from surefoot.contracts.breakers import BreakerStatus, Permit, Transition
from surefoot.contracts.budgets import AS_LISTED, Crossing, Hold, PriceDrift, Scope, ScopeStatus
from surefoot.contracts.guardrails import Answer
from surefoot.contracts.routing import Route
from surefoot.contracts.tools import Claim
from surefoot.contracts.tools import Fate as Fate
from surefoot.contracts.transcripts import TranscriptRef


@dataclass(frozen=True)
class Rung:
    """A model that may be used, and the most that the call can cost with it."""

    model: str
    bound: int
    dearness: int = AS_LISTED
    """Thousandths of the listed price that the bound is reckoned at."""


@dataclass(frozen=True)
class Reservation:
    """What a guardrail check asks the store: one of the rungs, held in every scope at once."""

    hold_id: str
    tenant: str
    scopes: tuple[Scope, ...]
    rungs: tuple[Rung, ...]
    output_tokens: int
    breakers: tuple[str, ...]
    """Tools and models whose breakers to look at in the same batch."""
    own_breakers: tuple[str, ...] = ()
    """Those of them whose policy gives each tenant a breaker of its own."""


@dataclass(frozen=True)
class Reserved:
    """The store's answer. ``hold`` is None unless ``answer`` is GO."""

    answer: Answer
    rung: int
    hold: Hold | None
    tight_scope: ScopeStatus | None
    retry_after: timedelta | None
    breakers: dict[str, BreakerStatus]
    epoch: str
    crossings: tuple[Crossing, ...] = ()
    """The hard stop, and lines that charges of expired holds crossed."""
    routes: dict[str, Route] = field(default_factory=dict)
    """The models that runs are led around now, whatever was asked for."""


@dataclass(frozen=True)
class Refused:
    """A breaker that does not let the call through."""

    name: str
    retry_after: timedelta | None
    episode: str
    """Empty if a process's own breaker refused, which opens no incident."""
    in_doubt: bool = False
    """The claim that the call came with is in doubt, and stays so: an earlier attempt may have happened."""
    transition: Transition | None = None
    """The refusal opened the breaker again, since no probe said how it went."""


@dataclass(frozen=True)
class Admitted:
    """The permit for one call; ``transition`` if admitting it made the breaker half-open."""

    permit: Permit
    transition: Transition | None = None


@dataclass(frozen=True)
class OverBudget:
    """The cap leaves no room for another attempt."""

    scope: ScopeStatus


@dataclass(frozen=True)
class Receipt:
    """What ending a call brought about."""

    transitions: tuple[Transition, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    drift: PriceDrift | None = None
    """The call cost more than its bound. It is booked, and from now on the model is reserved at the dearer price."""
    superseded: bool = False
    """The claim has passed to another owner, so nothing was recorded in it."""
    store: str = ""
    """The store's epoch, if money was booked."""
    transcript: TranscriptRef | None = None
    """Where the conversation is kept with what was added to it, if it was."""


@dataclass(frozen=True)
class Proceed:
    """The claim is ours and the breaker lets the call through. A ``read`` has no claim."""

    claim: Claim | None
    permit: Permit
    transition: Transition | None = None


@dataclass(frozen=True)
class Replay:
    """The effect has happened before: this is its recorded result."""

    content: JsonValue
    attempts: int


@dataclass(frozen=True)
class Busy:
    """Another live call performs this effect; its lease runs out after ``remaining``."""

    remaining: timedelta


@dataclass(frozen=True)
class Doubtful:
    """The effect was recorded as unknown; only a human may settle it."""

    attempts: int
