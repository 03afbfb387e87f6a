"""The guardrail check: the question before each model call, and its answer."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from surefoot.contracts.base import Message, Nanos, Terse
from surefoot.contracts.breakers import Transition
from surefoot.contracts.budgets import AS_LISTED, Crossing, Hold, PriceDrift, Scope, ScopeStatus
from surefoot.contracts.models import ModelBooking, ModelId
from surefoot.contracts.tools import ToolBooking

BYTES_A_TOKEN = 3
"""For estimates of what nobody has counted: prose has about four bytes a token, code and figures two to three."""
FULL = 80
"""Per cent of a model's context from which a prompt, with room for its answer, is too long: what was estimated may be
more, and a provider's own additions count too."""


class PromptSize(Terse):
    """What the next call sends, in the parts that the bound is made of (design section 7)."""

    counted_tokens: int = Field(default=0, ge=0)
    """Tokens that ``counted_by`` has reported for the beginning of the conversation."""
    counted_by: str = ""
    """The provider that counted."""
    new_bytes: int = Field(ge=0)
    """UTF-8 bytes that the provider has not counted yet."""
    total_bytes: int = Field(ge=0)
    """UTF-8 bytes of everything sent, for a provider that has counted nothing of it."""

    def token_bound(self, provider: str) -> int:
        """The most input tokens that this can be for the provider, at one token a byte."""
        if provider == self.counted_by:
            return min(self.counted_tokens + self.new_bytes, self.total_bytes)
        return self.total_bytes

    def estimate(self, provider: str) -> int:
        """About as many input tokens as this will be for the provider."""
        if provider == self.counted_by:
            return self.counted_tokens + tokens_in(self.new_bytes)
        return tokens_in(self.total_bytes)

    def nears(self, context_tokens: int, provider: str, output_tokens: int) -> bool:
        """Whether this and its answer are about to be too much for a model with such a context."""
        return self.estimate(provider) + output_tokens > usable(context_tokens)


def tokens_in(size: int) -> int:
    """About as many tokens as so many bytes are, rounded up."""
    return -(-size // BYTES_A_TOKEN)


def usable(context_tokens: int) -> int:
    """What a prompt and its answer may take of a context, in tokens."""
    return context_tokens * FULL // 100


class GuardrailRequest(Message):
    """Input of ``guardrails.check``."""

    hold_id: str
    tenant: str
    scopes: tuple[Scope, ...]
    ladder: tuple[ModelId, ...]
    fallback: tuple[ModelId, ...] = ()
    avoid: tuple[ModelId, ...] = ()
    """Models whose retries this run has spent."""
    tools: tuple[str, ...] = ()
    own_breakers: tuple[str, ...] = ()
    """Tools and models whose policy gives each tenant a breaker of its own."""
    size: PromptSize
    output_tokens: int
    unsettled: tuple[ModelBooking | ToolBooking, ...] = ()
    heeds_context: bool = False
    """A prompt that nears the chosen model's context is to be answered with ``TOO_LONG``."""
    context_tokens: int = 0
    """The most that the profile lets a prompt and its answer take, whatever the model; 0 for no such limit."""
    contexts: dict[ModelId, int] = {}
    """Contexts that providers have named when they refused a prompt."""


class Answer(StrEnum):
    GO = "go"
    EXHAUSTED = "exhausted"
    """Settled money plus the bound is over the cap."""
    IN_FLIGHT = "in_flight"
    """Only holds of other calls stand in the way: wait and ask again."""
    NEVER_FITS = "never_fits"
    """The bound alone is over the cap."""
    NO_MODEL = "no_model"
    """Every model that may be used has an open breaker or spent retries."""
    TOO_LONG = "too_long"
    """The prompt nears the context of the model that would be called; nothing is held."""


class OpenCircuit(Message):
    """A breaker that refuses calls, and until when, if it is not held open by an operator."""

    name: str
    until: datetime | None = None
    episode: str = ""


class Grant(Terse):
    """A hold without what the request and its decision say already."""

    way: str = ""
    """What its id has behind the request's."""
    bound: Nanos
    at: datetime
    dearer: int = Field(default=0, ge=0)
    """Thousandths of the listed price on top of it."""


class GuardrailDecision(Terse):
    """Output of ``guardrails.check``: a model and the hold for it, or the reason why not."""

    fixed: ClassVar[frozenset[str]] = frozenset({"booked"})
    answer: Answer
    model: ModelId | None = None
    hold: Hold | None = None
    grant: Grant | None = None
    """Stands for the hold in a history."""
    downgraded: bool = False
    """A cheaper rung than the first was chosen, because the soft line was near."""
    fell_back: bool = False
    """A fallback model was chosen, because the ladder's is out."""
    reason: str = ""
    retry_after: timedelta | None = None
    open_tools: tuple[OpenCircuit, ...] = ()
    open_models: tuple[OpenCircuit, ...] = ()
    tight_scope: ScopeStatus | None = None
    """The scope that decided, for messages with truthful numbers."""
    context_tokens: int = 0
    """The context that the prompt is too long for."""
    crossings: tuple[Crossing, ...] = ()
    transitions: tuple[Transition, ...] = ()
    drifts: tuple[PriceDrift, ...] = ()
    """Told by what has been booked now."""
    booked: bool = True
    """What was unsettled has been booked now."""

    store: str = ""
    """The store's epoch: another one after Redis was wiped, or missed a hold and so has lost writes."""

    @property
    def chosen(self) -> tuple[ModelId, Hold]:
        """The model that may be called, and the money for it."""
        if self.model is None or self.hold is None:
            raise ValueError("a cleared call needs a model and a hold")
        return self.model, self.hold

    def recorded(self, request: GuardrailRequest) -> "GuardrailDecision":
        """As it goes into a history, beside the request that it answers."""
        hold = self.hold
        if hold is None or not hold.id.startswith(request.hold_id):
            return self
        way = hold.id.removeprefix(request.hold_id)
        grant = Grant(way=way, bound=hold.bound, at=hold.at, dearer=hold.dearness - AS_LISTED)
        return self.model_copy(update={"hold": None, "grant": grant})

    def read(self, request: GuardrailRequest) -> "GuardrailDecision":
        """As it was made, from how it was recorded."""
        grant = self.grant
        if grant is None or self.model is None:
            return self
        hold = Hold(
            id=f"{request.hold_id}{grant.way}",
            tenant=request.tenant,
            scopes=request.scopes,
            model=self.model,
            bound=grant.bound,
            output_tokens=request.output_tokens,
            at=grant.at,
            dearness=AS_LISTED + grant.dearer,
            epoch=self.store,
        )
        return self.model_copy(update={"hold": hold, "grant": None})


class Books(Message):
    """Input of ``guardrails.close_books``: what is left when a run ends."""

    holds: tuple[Hold, ...] = ()
    """Reserved or sent, and nobody goes on with them: given back, or charged at their bound if they were sent."""
    unsettled: tuple[ModelBooking | ToolBooking, ...] = ()


class BooksClosed(Message):
    """Output of ``guardrails.close_books``."""

    crossings: tuple[Crossing, ...] = ()
    transitions: tuple[Transition, ...] = ()
    drifts: tuple[PriceDrift, ...] = ()
    store: str = ""
    """The store's epoch by then, if money was booked."""


class Act(Message):
    """What an operator does to a guard: who and why. Repeated under the same id, it changes nothing more."""

    id: str = Field(min_length=1, max_length=200)
    by: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1000)
