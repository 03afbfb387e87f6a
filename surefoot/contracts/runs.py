"""A run: a prompt in, an answer out."""

from datetime import datetime
from enum import StrEnum

from pydantic import ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from surefoot.contracts.approvals import ApprovalRequest
from surefoot.contracts.base import Message
from surefoot.contracts.budgets import ScopeStatus, dollars
from surefoot.contracts.conversation import MAX_MESSAGE, ConversationMessage, UserMessage, size_in_bytes

MAX_KEY_LENGTH = 255


def _printable(name: str, text: str) -> str:
    if any(not character.isprintable() for character in text):
        raise ValueError(f"{name} must not hold control characters")
    return text


class RunRequest(Message):
    """Input of ``AgentWorkflow``."""

    prompt: str
    profile: str = Field(min_length=1, max_length=64)
    key: str = Field(min_length=1, max_length=MAX_KEY_LENGTH)
    """The idempotency key: the same key with the same payload is the same run."""
    session: str = Field(min_length=1, max_length=MAX_KEY_LENGTH)
    tenant: str = Field(default="default", min_length=1, max_length=MAX_KEY_LENGTH)
    user: str | None = Field(default=None, min_length=1, max_length=MAX_KEY_LENGTH)

    @field_validator("prompt")
    @classmethod
    def _prompt_says_something(cls, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError("the prompt is empty")
        if any("\ud800" <= character <= "\udfff" for character in prompt):
            raise ValueError("the prompt is not UTF-8")
        if (size := size_in_bytes((UserMessage(text=prompt),))) > MAX_MESSAGE:
            raise ValueError(f"the prompt takes {size} bytes as a message, of which {MAX_MESSAGE} fit; shorten it")
        return prompt

    @field_validator("key", "session", "tenant", "user")
    @classmethod
    def _names_are_printable(cls, name: str | None) -> str | None:
        return name if name is None else _printable("a name", name)


class RunStatus(StrEnum):
    """Where a run stands; also the search attribute ``Status``."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"


class IdempotencyStatus(StrEnum):
    FRESH = "fresh"
    JOINED = "joined"
    CACHE_HIT = "cache_hit"


class _Public(Message):
    """What users and other programs read: camelCase in JSON, as their documents have it."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class RunUsage(_Public):
    """Tokens and money of a whole run."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    thinking_tokens: int = 0
    cost_nanos: int = 0
    cost: str = "0.00"
    """Dollars as a decimal string."""

    def plus(self, *, input: int, output: int, cached: int, thinking: int, cost: int) -> "RunUsage":
        total = self.cost_nanos + cost
        return RunUsage(
            input_tokens=self.input_tokens + input,
            output_tokens=self.output_tokens + output,
            cached_tokens=self.cached_tokens + cached,
            thinking_tokens=self.thinking_tokens + thinking,
            cost_nanos=total,
            cost=dollars(total),
        )


class RunResult(_Public):
    """Output of ``AgentWorkflow``; also the partial result in the details of a failed run's error."""

    text: str
    usage: RunUsage = RunUsage()
    tools_called: tuple[str, ...] = ()
    """Names of the tools that succeeded, in order, with repetitions."""
    idempotency_status: IdempotencyStatus = IdempotencyStatus.FRESH
    status: RunStatus = RunStatus.COMPLETED
    turns: int = 0
    models: tuple[str, ...] = ()
    """Models that answered, as the providers name the versions they served."""
    downgraded: bool = False
    fell_back: bool = False
    incidents: tuple[str, ...] = ()
    """Workflow ids of the incidents that this run opened or met."""


class RunFailure(Message):
    """Details of the error that ends a failed run: the numbers, and what there was of an answer."""

    reason: str
    partial: RunResult
    scope: ScopeStatus | None = None


class Phase(StrEnum):
    """What a run is doing."""

    STARTING = "starting"
    CHECKING = "checking guardrails"
    WAITING_FOR_STORE = "waiting for Redis"
    WAITING_FOR_BUDGET = "waiting for money held by other calls"
    WAITING_FOR_MODEL = "waiting for a model"
    SUMMARISING = "summarising older turns"
    THINKING = "calling the model"
    ACTING = "calling tools"
    WAITING_FOR_APPROVAL = "waiting for approval"
    ENDED = "ended"


class Step(Message):
    """Something that happened in a run, for those who watch."""

    turn: int
    what: str
    at: datetime


class RunProgress(Message):
    """Answer of the query ``progress``."""

    phase: Phase
    turn: int
    model: str | None = None
    text: str = ""
    """The newest words of the model."""
    steps: tuple[Step, ...] = ()
    approvals: tuple[ApprovalRequest, ...] = ()
    result: RunResult


class Transcript(Message):
    """Answer of the query ``conversation``."""

    system: str
    messages: tuple[ConversationMessage, ...]
