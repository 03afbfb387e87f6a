"""Every failure of Surefoot, named once.

``SurefootError``
    ├── ``InvalidInput``          what the caller gave cannot be used; nothing was started
    │   ├── ``ProfileError``      a profile is unreadable: file, key and reason
    │   └── ``KeyReused``         the same idempotency key with another payload
    ├── ``Unreachable``           Temporal or Redis does not answer
    │   └── ``StoreUnavailable``  Redis does not answer, or not in time
    ├── ``RunFailed``             the run ended without an answer; holds the partial result
    ├── ``RunCancelled``
    ├── ``NotFound``              no such run, incident or approval
    ├── ``Superseded``            a later attempt or another owner has taken over: stop, send nothing
    ├── ``ProviderFailure``       a model's provider refused, failed or answered nonsense
    ├── ``ToolFailure``           a tool's back end refused, failed or did not answer
    └── ``DeliveryFailure``       a pager or chat did not take a message

Whoever raises decides whether and when to retry. What crosses an activity's border is an ``ApplicationError`` that
the functions below make, with its ``type`` from ``ErrorType`` and typed details.
"""

from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from surefoot.contracts.base import Message
from surefoot.contracts.breakers import Transition, Verdict
from surefoot.contracts.budgets import Crossing, PriceDrift, ScopeStatus
from surefoot.contracts.models import ModelBooking, Usage
from surefoot.contracts.runs import RunFailure
from surefoot.contracts.tools import ToolBooking


class ErrorType(StrEnum):
    """The ``type`` of every application error that enters a history."""

    CIRCUIT_OPEN = "CircuitOpen"
    BUDGET_EXHAUSTED = "BudgetExhausted"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    TURNS_EXHAUSTED = "TurnsExhausted"
    NO_PROGRESS = "NoProgress"
    STORE_UNAVAILABLE = "StoreUnavailable"
    MODEL_UNAVAILABLE = "ModelUnavailable"
    MODEL_REFUSED = "ModelRefused"
    TRANSCRIPT_MISSING = "TranscriptMissing"
    TOOL_FAILED = "ToolFailed"
    TOOL_RETRYABLE = "ToolRetryable"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    INVALID_ARGUMENTS = "InvalidArguments"
    PAYLOAD_TOO_LARGE = "PayloadTooLarge"
    INVALID_PROFILE = "InvalidProfile"
    INCIDENT_RESOLVED = "IncidentResolved"
    INCIDENT_ACKNOWLEDGED = "IncidentAcknowledged"
    DELIVERY_FAILED = "DeliveryFailed"
    NOT_YET = "NotYet"


class SurefootError(Exception):
    """Base of the errors that Surefoot raises to its callers."""


class InvalidInput(SurefootError, ValueError):
    """What the caller gave cannot be used."""


class ProfileError(InvalidInput):
    """A profile cannot be used; the message names file, key and reason."""


class KeyReused(InvalidInput):
    """An idempotency key came again with another payload."""


class NotFound(SurefootError, LookupError):
    """There is no such thing."""


class Unreachable(SurefootError):
    """A server does not answer; the message says which, where, and what to do."""


class StoreUnavailable(Unreachable):
    """Redis did not answer in time. Whether the last write arrived is unknown."""


class Superseded(SurefootError):
    """A later attempt or another owner has taken over: this one must send nothing more."""


class RunCancelled(SurefootError):
    """The run was cancelled before it had an answer."""


class RunFailed(SurefootError):
    """The run ended without an answer."""

    def __init__(self, message: str, type: str, failure: RunFailure | None = None) -> None:
        super().__init__(message)
        self.type = type
        self.failure = failure


class Fault(StrEnum):
    """Who has to act on a failed call."""

    RETRYABLE = "retryable"
    PERMANENT = "permanent"
    MODELS_OWN = "models_own"
    """The model can mend it: it is told."""


class ProviderFailure(SurefootError):
    """A model call that gave no answer, classified where it failed."""

    def __init__(
        self,
        message: str,
        *,
        fault: Fault,
        verdict: Verdict,
        maybe_billed: bool,
        status: int | None = None,
        retry_after: timedelta | None = None,
        usage: Usage | None = None,
        model_version: str | None = None,
        context_tokens: int = 0,
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.verdict = verdict
        self.maybe_billed = maybe_billed
        """The provider may have worked and may charge: a hang-up in mid-answer, a time-out."""
        self.status = status
        self.retry_after = retry_after
        self.usage = usage
        """What the provider counted all the same, such as the input of a blocked answer; None if it did not say."""
        self.model_version = model_version
        self.context_tokens = context_tokens
        """The model's context, as the provider says that refuses a prompt because it is longer; 0 otherwise."""


class ToolFailure(SurefootError):
    """A tool call that gave no result, classified where it failed."""

    def __init__(
        self,
        message: str,
        *,
        fault: Fault,
        verdict: Verdict,
        reached: bool,
        maybe_done: bool,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.verdict = verdict
        self.reached = reached
        """The request may have reached the target: it counts as an attempt."""
        self.maybe_done = maybe_done
        """The effect may have happened all the same."""
        self.status = status
        self.retry_after = retry_after


class DeliveryFailure(SurefootError):
    """A channel did not take a message. Permanent for a wrong key or payload, retryable for 429, 5xx and silence."""

    def __init__(
        self, message: str, *, fault: Fault, status: int | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.status = status
        self.retry_after = retry_after


class InvalidAmount(InvalidInput):
    """Money that is not a whole, finite, non-negative number of nano-dollars."""


class UnknownModel(InvalidInput):
    """Nobody knows this model's price, so it is not called."""


# Details of application errors.


class CircuitOpen(Message):
    name: str
    retry_after: timedelta | None = None
    episode: str = ""
    transition: Transition | None = None
    crossings: tuple[Crossing, ...] = ()
    drifts: tuple[PriceDrift, ...] = ()
    """What the call cost that opened it has brought about."""
    cost: int = 0
    """Nano-dollars that a model call's attempts have cost, as far as it is known."""


class CallFailed(Message):
    """A tool's retries are spent, or it refused for good."""

    tool: str
    attempts: int
    message: str
    status: int | None = None
    maybe_done: bool = False
    """The effect may have happened all the same."""
    transitions: tuple[Transition, ...] = ()
    unmade: int = 0
    """The attempt, by number, that the store's absence kept from sending anything; 0 if something else went wrong."""
    unsettled: tuple[ToolBooking, ...] = ()
    """What Redis was not there to be told."""


class ModelFailed(Message):
    """A model's retries are spent, or its provider refused for good."""

    model: str
    message: str
    status: int | None = None
    transitions: tuple[Transition, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    drifts: tuple[PriceDrift, ...] = ()
    unsettled: tuple[ModelBooking, ...] = ()
    """What Redis was not there to be told."""
    store: str = ""
    """The store's epoch when the call was settled."""
    cost: int = 0
    """Nano-dollars that all attempts have cost, as far as it is known."""
    context_tokens: int = 0
    """The model's context, as the provider says that refuses a prompt because it is longer; 0 otherwise."""


class BudgetRefused(Message):
    scope: ScopeStatus
    bound: int
    cost: int = 0
    """Nano-dollars that the attempts before have cost, as far as it is known."""


D = TypeVar("D", bound=Message)


def detail(error: ApplicationError, kind: type[D]) -> D | None:
    """Read back the first detail of an application error, or None if it has none of this shape."""
    return kind.model_validate(error.details[0]) if error.details else None


def circuit_open(details: CircuitOpen) -> ApplicationError:
    """The breaker refuses. Final for the activity: the workflow tells the model when to come back."""
    wait = f" for {details.retry_after.total_seconds():.0f} s" if details.retry_after else ""
    return ApplicationError(
        f"circuit {details.name!r} is open{wait}",
        details,
        type=ErrorType.CIRCUIT_OPEN,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def final(type: ErrorType, message: str, *details: Message) -> ApplicationError:
    """An error that no retry can mend."""
    return ApplicationError(message, *details, type=type, non_retryable=True)


def retryable(
    type: ErrorType,
    message: str,
    *details: Message,
    retry_after: timedelta | None = None,
) -> ApplicationError:
    """An error that Temporal retries, after ``retry_after`` if the target asked for that."""
    return ApplicationError(message, *details, type=type, next_retry_delay=retry_after)


def call_unmade(details: CallFailed) -> ApplicationError:
    """Redis was away before a tool's request left. Final for the activity: the workflow waits on durable timers."""
    return ApplicationError(
        details.message,
        details,
        type=ErrorType.STORE_UNAVAILABLE,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def store_unavailable(message: str) -> ApplicationError:
    """Redis is away: retryable, since the next attempt may find it back."""
    return ApplicationError(message, type=ErrorType.STORE_UNAVAILABLE, category=ApplicationErrorCategory.BENIGN)
