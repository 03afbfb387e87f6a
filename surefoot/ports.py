"""What the activities need from the world. Adapters stand in ``surefoot/llm``, ``reliability``, ``tools``."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias
from urllib.parse import quote

from pydantic import JsonValue

from surefoot.answers import Admitted as Admitted
from surefoot.answers import Busy as Busy
from surefoot.answers import Doubtful as Doubtful
from surefoot.answers import Fate as Fate
from surefoot.answers import OverBudget as OverBudget
from surefoot.answers import Proceed as Proceed
from surefoot.answers import Receipt as Receipt
from surefoot.answers import Refused as Refused
from surefoot.answers import Replay as Replay
from surefoot.answers import Reservation as Reservation
from surefoot.answers import Reserved as Reserved
from surefoot.answers import Rung as Rung
from surefoot.contracts.breakers import BreakerPolicy, Permit, Verdict
from surefoot.contracts.budgets import Charge, Hold
from surefoot.contracts.conversation import ConversationMessage
from surefoot.contracts.incidents import ComposeRequest, Evidence, Plan
from surefoot.contracts.models import Generation, ModelBooking, Preamble, Prompt
from surefoot.contracts.oncall import Notification
from surefoot.contracts.tools import Claim, ToolBooking
from surefoot.contracts.transcripts import TranscriptRef
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
    """What model calls cost, in nano-dollars, and what models can read; ``UnknownModel`` is one without a price."""

    def cost(
        self, model: str, *, input_tokens: int, cached_tokens: int, output_tokens: int, served_as: str | None = None
    ) -> int: ...

    def bound(self, model: str, *, input_tokens: int, output_tokens: int) -> int: ...

    def context(self, model: str) -> int | None:
        """The most tokens that the model takes in one prompt, if anybody has said."""
        ...


class TextStream(Protocol):
    """Where the words of a running model call can be followed. Losing them loses nothing."""

    async def publish(self, run_id: str, turn: int, text: str) -> None: ...


@dataclass(frozen=True)
class Said:
    """What is kept of a conversation, from its beginning on."""

    messages: tuple[ConversationMessage, ...] = ()
    preamble: Preamble | None = None
    """Only where it is referred to."""


@dataclass(frozen=True)
class Addition:
    """What is to be put behind a conversation that is kept, in place of what is there."""

    ref: TranscriptRef
    messages: tuple[ConversationMessage, ...]
    preamble: Preamble | None = None
    """Takes the place of the one that is kept, if given."""


class Transcripts(Protocol):
    """Conversations kept out of line. Losing them loses nothing: whoever refers to one can send it whole."""

    async def read(self, ref: TranscriptRef) -> Said | None:
        """What is referred to; None if it is not there, or is other than the digests say.

        Raises ``StoreUnavailable``.
        """
        ...


class Blobs(Protocol):
    """What is too large for a history or a model. Both methods raise ``StoreUnavailable``."""

    async def put(self, key: str, data: bytes) -> bool:
        """Keep the bytes for a while, in place of what is there; False if they are too many."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The bytes; None if they are not there any more."""
        ...


def kept_result(tenant: str, name: str) -> str:
    """The key of a result that was cut: each tenant sees its own alone."""
    return f"result/{quote(tenant, safe='')}/{name}"


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
        said: Addition | None = None,
    ) -> Receipt:
        """Settle the hold at the charge's cost and report. A charge of zero gives the hold back.

        ``took`` is how long the call took, for a breaker that opens on slow ones. What was ``said`` joins the
        conversation that is kept, as the receipt tells, unless there is no room for it: that fails nothing else.
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
        in_doubt: bool = False,
    ) -> Proceed | Refused | Replay | Busy | Doubtful:
        """Claim, then admit. A refusal by the breaker puts the claim back as it was, with its doubt.

        ``tenant`` chooses the breaker, where its policy gives each tenant its own.

        ``effect_key`` is None for a ``read``. With ``mark_sent`` the claim is at once marked sent, which saves a
        round trip where a needless doubt does no harm; otherwise call ``mark_sent`` before the request leaves. A
        request that left now can land for ``lands_within``. ``in_doubt`` says that an earlier request may have left:
        a claim that the store has never heard of, or has forgotten, begins in doubt.
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


class TriagePort(Protocol):
    """The on-call policy. Asks nobody and never fails."""

    def plan(self, request: ComposeRequest) -> Plan: ...


class RunsPort(Protocol):
    """Runs as they stand now. Each method raises ``NotFound``, or ``Unreachable`` when nobody answers in time."""

    async def completed_at(self, run_id: str) -> datetime | None:
        """When the newest execution of the run came to its answer; None if it has not."""
        ...

    async def spent(self, run_id: str) -> int:
        """What its newest execution has spent, in nano-dollars."""
        ...


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
