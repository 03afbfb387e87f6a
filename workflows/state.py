"""What a run knows: an immutable state and its transitions."""

from datetime import datetime, timedelta

from surefoot.contracts.base import Message
from surefoot.contracts.condensing import Condensed
from surefoot.contracts.conversation import (
    AssistantMessage,
    CallPart,
    ConversationMessage,
    ToolMessage,
    UserMessage,
    size_in_bytes,
)
from surefoot.contracts.guardrails import GuardrailDecision, PromptSize
from surefoot.contracts.models import ModelBooking, ModelReply, provider_of
from surefoot.contracts.profiles import Profile
from surefoot.contracts.runs import RunResult, RunStatus, RunUsage
from surefoot.contracts.tools import ToolBooking
from surefoot.contracts.transcripts import TranscriptRef


class Counted(Message):
    """How much of what is sent a provider has counted, and what it was offered with it."""

    provider: str = ""
    tokens: int = 0
    messages: int = 0
    tools: tuple[str, ...] = ()


class RunState(Message):
    """A run between two steps."""

    messages: tuple[ConversationMessage, ...]
    turn: int = 0
    usage: RunUsage = RunUsage()
    counted: Counted = Counted()
    tools_called: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    downgraded: bool = False
    fell_back: bool = False
    incidents: tuple[str, ...] = ()
    asked: dict[str, int] = {}  # noqa: RUF012 - pydantic copies it
    """In how many turns each call, with the same arguments, has been asked for, by its digest."""
    avoid: tuple[str, ...] = ()
    """Models whose retries this run has spent."""
    rebukes: int = 0
    """Empty or malformed answers that the model was told of, in a row."""
    unsettled: tuple[ModelBooking | ToolBooking, ...] = ()
    store: str = ""
    """The store's epoch, as last seen."""
    outage: str = ""
    """The incident of the store's outage that this run is in."""
    kept: TranscriptRef | None = None
    """The part of what is sent that model calls find out of line."""
    condensed: Condensed | None = None
    """The older turns that a note stands for in what is sent."""
    contexts: dict[str, int] = {}  # noqa: RUF012
    """Contexts of models, in tokens, that providers have named when they refused a prompt."""

    @classmethod
    def opened(cls, prompt: str) -> "RunState":
        return cls(messages=(UserMessage(text=prompt),))

    @property
    def sent(self) -> tuple[ConversationMessage, ...]:
        """What the next model call shows: every message, or a note in place of those of older turns."""
        if self.condensed is None:
            return self.messages
        return (self.messages[0], UserMessage(text=self.condensed.note), *self.messages[self.condensed.upto :])

    @property
    def unkept(self) -> tuple[ConversationMessage, ...]:
        """The messages that have to travel with the next model call."""
        return self.sent[self.kept.length :] if self.kept else self.sent

    @property
    def calls(self) -> tuple[CallPart, ...]:
        """What the model asked for with its newest words, until it is answered."""
        newest = self.messages[-1]
        return newest.calls if isinstance(newest, AssistantMessage) else ()

    @property
    def text(self) -> str:
        """The newest words of the model."""
        spoken = (m.text for m in reversed(self.messages) if isinstance(m, AssistantMessage) and m.text)
        return next(spoken, "")

    def checked(self, decision: GuardrailDecision) -> "RunState":
        return self.model_copy(
            update={
                "downgraded": self.downgraded or decision.downgraded,
                "fell_back": self.fell_back or decision.fell_back,
                "unsettled": () if decision.booked else self.unsettled,
                "store": decision.store or self.store,
            }
        )

    def answered(self, reply: ModelReply, offered: tuple[str, ...]) -> "RunState":
        """The model has answered: its message is part of the conversation, and its provider has counted so far."""
        added = (reply.message,) if reply.message.parts else ()
        usage = reply.usage
        return self.paid(reply).model_copy(
            update={
                "messages": (*self.messages, *added),
                "turn": self.turn + 1,
                "counted": Counted(
                    provider=provider_of(reply.model),
                    tokens=usage.input_tokens + usage.output_tokens,
                    messages=len(self.sent) + len(added),
                    tools=offered,
                ),
                "kept": reply.transcript or self.kept,
                "models": self.models if reply.model_version in self.models else (*self.models, reply.model_version),
            }
        )

    def paid(self, reply: ModelReply) -> "RunState":
        """A model call has been made, whatever for: it counts in what the run has used."""
        usage = reply.usage
        used = self.usage.plus(
            input=usage.input_tokens,
            output=usage.output_tokens,
            cached=usage.cached_tokens,
            thinking=usage.thinking_tokens,
            cost=reply.cost,
        )
        return self.model_copy(update={"usage": used})

    def shortened(self, condensed: Condensed) -> "RunState":
        """From now on a note stands for older turns: nobody has counted or kept what is sent then."""
        return self.model_copy(update={"condensed": condensed, "counted": Counted(), "kept": None})

    def rebuked(self, words: str) -> "RunState":
        """The model is told that its answer was no use."""
        return self.model_copy(
            update={"messages": (*self.messages, UserMessage(text=words)), "rebukes": self.rebukes + 1}
        )

    def observed(self, results: tuple[ToolMessage, ...]) -> "RunState":
        return self.model_copy(update={"messages": (*self.messages, *results), "rebukes": 0})

    def prompt_size(self, profile: Profile) -> PromptSize:
        """What the next call sends, for its bound: counted tokens, and bytes that nobody has counted yet."""
        schemas = {tool.name: tool.size for tool in profile.tools}
        fixed = len(profile.system.encode()) + sum(schemas.values())
        total = fixed + size_in_bytes(self.sent)
        if not self.counted.provider:
            return PromptSize(new_bytes=total, total_bytes=total)
        unseen = sum(size for name, size in schemas.items() if name not in self.counted.tools)
        return PromptSize(
            counted_tokens=self.counted.tokens,
            counted_by=self.counted.provider,
            new_bytes=unseen + size_in_bytes(self.sent[self.counted.messages :]),
            total_bytes=total,
        )

    def result(self, status: RunStatus) -> RunResult:
        return RunResult(
            text=self.text,
            usage=self.usage,
            tools_called=self.tools_called,
            status=status,
            turns=self.turn,
            models=self.models,
            downgraded=self.downgraded,
            fell_back=self.fell_back,
            incidents=self.incidents,
        )


class Stopwatch:
    """Measures a run's own time: the time spent waiting for people does not count."""

    def __init__(
        self,
        started: datetime,
        excluded: timedelta = timedelta(0),
        *,
        waits: int = 0,
        waiting_since: datetime | None = None,
    ) -> None:
        """``waits`` are those under way, since the first of which the watch has stood still."""
        self.started = started
        self.excluded = excluded
        self._waits = waits
        self.waiting_since = waiting_since or started

    def wait_begins(self, now: datetime) -> None:
        if self._waits == 0:
            self.waiting_since = now
        self._waits += 1

    def wait_ends(self, now: datetime) -> None:
        self._waits -= 1
        if self._waits == 0:
            self.excluded += now - self.waiting_since

    def elapsed(self, now: datetime) -> timedelta:
        waiting = now - self.waiting_since if self._waits else timedelta(0)
        return now - self.started - self.excluded - waiting
