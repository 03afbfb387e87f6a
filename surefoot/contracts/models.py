"""One model call: what is sent, what comes back, what it used."""

import hashlib
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from surefoot.contracts.base import JsonObject, Message, Terse
from surefoot.contracts.breakers import BreakerPolicy, Permit, Transition, Verdict
from surefoot.contracts.budgets import Charge, Crossing, Hold, PriceDrift
from surefoot.contracts.condensing import SummaryOrder
from surefoot.contracts.conversation import AssistantMessage, ConversationMessage
from surefoot.contracts.transcripts import TranscriptRef

ModelId = Annotated[str, Field(pattern=r"^(gemini|mistral|scripted):[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
"""Provider and model, such as ``gemini:gemini-2.5-pro``."""


DIGITS = 16
"""Of a preamble's digest, in hexadecimal: a run has few preambles."""


def provider_of(model: str) -> str:
    return model.partition(":")[0]


def name_of(model: str) -> str:
    return model.partition(":")[2]


class ToolOffer(Message):
    """A tool as it is shown to the model."""

    name: str
    description: str
    parameters: JsonObject


class Preamble(Message):
    """What stands before a conversation, and is the same in most calls of a run."""

    system: str
    tools: tuple[ToolOffer, ...] = ()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:DIGITS]


class Prompt(Terse):
    """All that a provider is sent in one call, in neutral words."""

    model: ModelId
    system: str
    messages: tuple[ConversationMessage, ...]
    tools: tuple[ToolOffer, ...] = ()
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_output_tokens: int = Field(default=1024, ge=1)


class Usage(Terse):
    """Tokens. ``input_tokens`` includes the cached ones, ``output_tokens`` includes thinking."""

    input_tokens: int = Field(default=0, ge=0)
    cached_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    thinking_tokens: int = Field(default=0, ge=0)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            thinking_tokens=self.thinking_tokens + other.thinking_tokens,
        )


class Finish(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    MALFORMED_CALL = "malformed_call"


class Generation(Message):
    """What a provider answered. ``model_version`` is what the provider says it served."""

    message: AssistantMessage
    usage: Usage
    model_version: str
    finish: Finish = Finish.STOP


class ModelCall(Terse):
    """Input of the activity ``llm.generate``."""

    fixed: ClassVar[frozenset[str]] = frozenset({"deadline", "idle_limit"})
    prompt: Prompt
    transcript: TranscriptRef | None = None
    """What was said before the prompt's messages; if None, they are all there is, and nothing is kept.

    With its preamble, if the reference names one: then the prompt has neither system prompt nor tools.
    """
    summary: SummaryOrder | None = None
    """What is to be summarised of it all, in place of its being answered."""
    hold: Hold
    breaker: BreakerPolicy = BreakerPolicy()
    turn: int
    deadline: timedelta = timedelta(minutes=5)
    """For this attempt."""
    idle_limit: timedelta = timedelta(seconds=90)
    """The longest silence of the provider; a thinking model is silent for a minute."""


class ModelBooking(Message):
    """What a model call cost and showed, while Redis does not know it yet."""

    charge: Charge | None = None
    permit: Permit | None = None
    verdict: Verdict = Verdict.SUCCESS
    took: timedelta | None = None
    """From the request's leaving to its answer."""


class Spent(Message):
    """What the attempts of a model call have cost that gave no answer, as far as it is known; in nano-dollars.

    It stands in the details of each failure of a model activity, and in the heartbeats that its attempts leave.
    """

    cost: int = 0


class ModelReply(Terse):
    """Output of ``llm.generate``: the new assistant message alone, and what it cost."""

    message: AssistantMessage
    usage: Usage
    model: str
    model_version: str
    finish: Finish
    cost: int
    earlier_cost: int = 0
    """Of the attempts before this one, as far as it is known."""
    transitions: tuple[Transition, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    drifts: tuple[PriceDrift, ...] = ()
    unsettled: tuple[ModelBooking, ...] = ()
    store: str = ""
    """The store's epoch when the call was settled, if it is another one than its hold's."""
    transcript: TranscriptRef | None = None
    """Where the conversation is kept up to and with this answer; None if it could not be, or need not."""
