"""Tools: what a profile pins of them, one call, and what came of it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import Field, JsonValue
from pydantic_core import to_json

from surefoot.contracts.base import Duration, JsonObject, Message, Terse
from surefoot.contracts.breakers import BreakerPolicy, Permit, Transition, Verdict


class Effect(StrEnum):
    """What a tool does to the world, and so what may be done when its outcome is in doubt."""

    READ = "read"
    KEYED = "keyed"
    VERIFIABLE = "verifiable"
    UNSAFE = "unsafe"


class ToolContract(Terse):
    """What a run needs to know of a tool, pinned into its history so that workflows need no tool code."""

    fixed: ClassVar[frozenset[str]] = frozenset({"deadline", "attempts"})
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    description: str = ""
    parameters: JsonObject = {}
    """JSON schema of the arguments, as it is offered to the model."""
    effect: Effect
    identity: tuple[str, ...] | None = None
    """Arguments that make two calls the same deed; all of them if None."""
    deadline: Duration = timedelta(seconds=10)
    """For one attempt, through HTTP client, activity and lease."""
    attempts: int = Field(default=4, ge=1, le=20)
    """Attempts that may reach the target; an ``unsafe`` tool has one."""
    breaker: BreakerPolicy = BreakerPolicy()
    fallback: str = "This service is unavailable right now."
    """What the model is told when the breaker is open; the time to try again is added."""

    @property
    def span(self) -> timedelta:
        """The longest that one attempt works: a verifiable tool may ask its target before it acts."""
        return self.deadline * 2 if self.effect is Effect.VERIFIABLE else self.deadline

    @property
    def size(self) -> int:
        """UTF-8 bytes of all of it as JSON, which is more than a model is ever told of it."""
        return len(to_json(self.model_dump()))

    @property
    def terms(self) -> "ToolContract":
        """What binds a call, without what is for the model and the run alone."""
        return self.model_copy(update={"description": "", "parameters": {}, "identity": None, "fallback": ""})


class ToolCall(Terse):
    """One call, validated and approved, with the key that makes it happen once."""

    id: str
    contract: ToolContract
    arguments: JsonObject
    effect_key: str
    tenant: str
    occurrence: int = 0
    """Which of the run's equal deeds this is; part of the effect key."""
    in_doubt: bool = False
    """The run knows that it may have happened before, even if the store has forgotten that."""
    earlier_attempts: int = Field(default=0, ge=0)
    """Attempts made before the run waited for the store and asked for them to go on."""


class ToolResult(Terse):
    """The recorded outcome of a call that succeeded, now or on an earlier attempt."""

    fixed: ClassVar[frozenset[str]] = frozenset({"attempts"})
    content: JsonValue
    replayed: bool = False
    attempts: int = 1
    transitions: tuple[Transition, ...] = ()
    unsettled: tuple["ToolBooking", ...] = ()
    offers: tuple[ToolContract, ...] = ()
    """Tools that the model needs from now on, such as to read the rest of what was cut here."""


class ClaimState(StrEnum):
    CLAIMED = "claimed"
    SENT = "sent"
    DONE = "done"
    UNKNOWN = "unknown"


class Claim(Message):
    """The right to perform one side effect: who holds it, and the fence that refuses those who held it before."""

    key: str
    owner: str
    """The activity: run id and activity id. A later attempt of it takes over its own dead claim at once."""
    fence: int
    attempts: int = 0
    """Attempts that reached the target so far."""
    in_doubt: bool = False
    """An earlier attempt was marked sent and never told its outcome."""
    settle_after: datetime | None = None
    """When the earlier request can no longer land, if in doubt."""


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


class ToolBooking(Message):
    """What happened outside and Redis does not know yet: to be booked with the next guardrail check."""

    claim: Claim | None = None
    content: JsonValue = None
    permit: Permit | None = None
    verdict: Verdict = Verdict.SUCCESS
    took: timedelta | None = None
    """From the request's leaving to its answer."""
    fate: Fate | None = None
    """What becomes of the claim of a call that failed; None leaves it as it is."""
    reached: bool = True
    """A call that failed may have reached its target: it counts as an attempt."""


ToolResult.model_rebuild()
