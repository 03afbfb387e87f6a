"""What the activities need from the world. Adapters stand in ``surefoot/llm``, ``reliability``, ``tools``."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias

from pydantic import JsonValue

from surefoot.contracts.breakers import BreakerPolicy, BreakerStatus, Permit, Transition, Verdict
from surefoot.contracts.budgets import AS_LISTED, Charge, Crossing, Hold, PriceDrift, Scope, ScopeStatus
from surefoot.contracts.guardrails import Answer
from surefoot.contracts.incidents import Evidence
from surefoot.contracts.models import Generation, ModelBooking, Prompt
from surefoot.contracts.oncall import Notification
from surefoot.contracts.tools import Claim, ToolBooking
from surefoot.desk import GuardDesk as GuardDesk
from surefoot.desk import GuardOffice as GuardOffice

OnText: TypeAlias = Callable[[str], Awaitable[None]]


class ModelPort(Protocol):
    """One provider's models.

    ``generate`` streams: it calls ``on_text`` with each new piece of text, and raises ``ProviderFailure`` when the
    provider refuses, fails, or is silent for longer than ``idle_limit``.
    """

    async def generate(self, prompt: Prompt, *, on_text: OnText, idle_limit: timedelta) -> Generation: ...


class Pricing(Protocol):
    """What model calls cost, in nano-dollars; raises ``UnknownModel`` for a model that has no price."""

    def cost(
        self, model: str, *, input_tokens: int, cached_tokens: int, output_tokens: int, served_as: str | None = None
    ) -> int: ...

    def bound(self, model: str, *, input_tokens: int, output_tokens: int) -> int: ...


class TextStream(Protocol):
    """Where the words of a running model call can be followed. Losing them loses nothing."""

    async def publish(self, run_id: str, turn: int, text: str) -> None: ...


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


@dataclass(frozen=True)
class Refused:
    """A breaker that does not let the call through."""

    name: str
    retry_after: timedelta | None
    episode: str
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


class Fate(StrEnum):
    """What becomes of a claim whose attempt failed."""

    RELEASED = "released"
    """Nothing happened, and nobody goes on with it: the claim is gone."""
    CLEAR = "clear"
    """Nothing happened; the next attempt goes on with this claim and its count."""
    DOUBT = "doubt"
    """It may have happened: whoever goes on finds the claim in doubt."""
    UNKNOWN = "unknown"
    """It may have happened, and only a human may settle it."""


class Guards(Protocol):
    """Breaker, budget and ledger. Each method is one batch of atomic scripts.

    Every method raises ``StoreUnavailable`` when the store does not answer in time, except that breakers then go
    on with process-local ones: a ``read`` tool can still be called. All may be repeated after a lost reply and
    answer the same.
    """

    async def reserve(self, reservation: Reservation) -> Reserved:
        """Choose a rung and hold its bound, and look at the breakers.

        The bound of a model that has cost more than its bound is raised by as much; the hold says so.
        """
        ...

    async def release(self, hold: Hold) -> None:
        """Give a reserved hold back, since it will not be used."""
        ...

    async def close_hold(self, hold: Hold) -> Receipt:
        """End a hold that nobody goes on with, since its run is over: no attempt may use it any more.

        Reserved, it is given back; sent, it is charged its bound as unknown, until a late settlement says better.
        """
        ...

    async def begin_model_call(
        self, hold: Hold, attempt: int, breaker: BreakerPolicy
    ) -> Admitted | Refused | OverBudget:
        """Admit, and mark this attempt's hold as sent.

        A hold of an earlier attempt that is still marked sent is charged its bound as unknown, and a new one is
        reserved for this attempt. A refusal by the breaker leaves the hold reserved.
        """
        ...

    async def end_model_call(
        self,
        permit: Permit,
        verdict: Verdict,
        retry_after: timedelta | None,
        charge: Charge | None,
        took: timedelta | None = None,
    ) -> Receipt:
        """Settle the hold at the charge's cost and report. A charge of zero gives the hold back.

        ``took`` is how long the call took, for a breaker that opens on slow ones.
        """
        ...

    async def begin_tool_call(
        self,
        *,
        tool: str,
        breaker: BreakerPolicy,
        effect_key: str | None,
        owner: str,
        attempt: int,
        lease: timedelta,
        mark_sent: bool,
        lands_within: timedelta,
        tenant: str = "",
    ) -> Proceed | Refused | Replay | Busy | Doubtful:
        """Claim, then admit. A refusal by the breaker puts the claim back as it was, with its doubt.

        ``tenant`` chooses the breaker, where its policy gives each tenant its own.

        ``effect_key`` is None for a ``read``. With ``mark_sent`` the claim is at once marked sent, which saves a
        round trip where a needless doubt does no harm; otherwise call ``mark_sent`` before the request leaves. A
        request that left now can land for ``lands_within``.
        """
        ...

    async def mark_sent(self, claim: Claim, *, lands_within: timedelta) -> Claim:
        """Mark that a request is about to leave, and when it can no longer land. Counts an attempt."""
        ...

    async def renew(self, claim: Claim, lease: timedelta) -> bool:
        """Keep the claim alive; False if it is the caller's no more: another's, settled, forgotten, or given up."""
        ...

    async def complete_tool_call(
        self, claim: Claim | None, content: JsonValue, permit: Permit | None, took: timedelta | None = None
    ) -> Receipt:
        """Record the result, wake those who wait for it, and report a success."""
        ...

    async def fail_tool_call(
        self,
        claim: Claim | None,
        permit: Permit | None,
        verdict: Verdict,
        retry_after: timedelta | None,
        *,
        fate: Fate,
        reached: bool = True,
        took: timedelta | None = None,
    ) -> Receipt:
        """Report, and say what becomes of the claim; its lease ends in any case.

        An attempt that did not reach the target is not counted. A claim that another owner takes over starts
        counting its attempts anew, and keeps its doubt.
        """
        ...

    async def follow(self, effect_key: str, within: timedelta) -> Replay | None:
        """Wait for the holder of a live claim to complete it; None if it did not within the time."""
        ...

    async def book(self, booking: ModelBooking | ToolBooking) -> Receipt:
        """Book what happened while the store was away. Booking twice changes nothing."""
        ...


class EvidencePort(Protocol):
    """What a run left behind.

    ``of_run`` takes the run's workflow id and raises ``NotFound`` when there is no history of it any more, and
    ``Unreachable`` when Temporal does not answer in time.
    """

    async def of_run(self, run_id: str) -> Evidence: ...


class ChannelPort(Protocol):
    """A pager, a chat or a hook. Raises ``DeliveryFailure``; sending the same message twice does no harm.

    ``send`` returns what the receiver calls the message, or nothing.
    """

    async def send(self, notification: Notification) -> str: ...


@dataclass(frozen=True)
class ToolContext:
    """What a tool's handler gets beside its arguments."""

    key: str | None
    """The effect key, to be sent as ``Idempotency-Key``; None for a ``read``."""
    deadline: timedelta
    """Time left for the whole attempt."""
    tenant: str
