"""A turn's tool calls: made together or one after another, and able to go on in a new history while they wait."""

import asyncio
from datetime import datetime

from surefoot.contracts.base import Message
from surefoot.contracts.conversation import CallPart, ToolMessage
from surefoot.contracts.runs import Phase
from surefoot.errors import ErrorType
from surefoot.idempotency import canonical, digest
from workflows.approval import ApprovalGate, AskedCall
from workflows.run import Run
from workflows.tool_run import ToolRuns


class OpenTurn(Message):
    """A turn of which no call is in flight: each has ended, waits for people, or has not begun."""

    told: tuple[ToolMessage, ...] = ()
    """What became of the calls that have ended."""
    asked: tuple[AskedCall, ...] = ()
    """The calls that wait for people, or have just been decided about."""
    waiting_since: datetime
    """From then on the run's clock stands still."""


class Turns:
    """Has the calls of each turn made, and keeps what has been told of them until the turn is over."""

    def __init__(self, run: Run, tools: ToolRuns, gate: ApprovalGate, begun: OpenTurn | None = None) -> None:
        """``begun`` is the turn that an earlier history of the run has left open."""
        self._run = run
        self._tools = tools
        self._gate = gate
        self._told = {message.call_id: message for message in begun.told} if begun else {}
        self._busy: set[str] = set()
        self.has_told = False
        """Whether a call has ended in this history."""

    async def observe(self, calls: tuple[CallPart, ...]) -> tuple[ToolMessage, ...]:
        """Return one message for each call, in their order; raises the run's typed end."""
        self._refuse_repetition(calls)
        self._tools.begin_turn()
        self._told = {}
        return await self.finish(calls)

    async def finish(self, calls: tuple[CallPart, ...]) -> tuple[ToolMessage, ...]:
        """As ``observe``, of a turn that has begun: what has been told of it stands."""
        self._run.enter(Phase.ACTING)
        if self._run.profile.parallel_tools:
            told = await asyncio.gather(*(self._one(call) for call in calls), return_exceptions=True)
            return tuple(_raised(message) for message in told)
        return tuple([await self._one(call) for call in calls])

    @property
    def rests(self) -> bool:
        """Whether all that has begun and not ended waits for people."""
        return bool(self._busy) and self._busy == {request.call_id for request in self._gate.open_requests}

    @property
    def open(self) -> OpenTurn | None:
        """The turn in progress; None between two turns."""
        if not self._busy:
            return None
        since = self._run.clock.waiting_since
        return OpenTurn(told=tuple(self._told.values()), asked=self._gate.asked_calls, waiting_since=since)

    async def _one(self, call: CallPart) -> ToolMessage:
        if call.id not in self._told:
            self._busy.add(call.id)
            self._told[call.id] = await self._tools.outcome(call)
            self._busy.remove(call.id)  # not in a finally: a call that ends the run keeps it from going on elsewhere
            self.has_told = True
        return self._told[call.id]

    def _refuse_repetition(self, calls: tuple[CallPart, ...]) -> None:
        """The same call with the same arguments, turn after turn, is no progress."""
        run, asked = self._run, dict(self._run.state.asked)
        for call in sorted({f"{call.tool}{canonical(call.arguments)}{call.malformed or ''}" for call in calls}):
            name = digest(call)
            asked[name] = times = asked.get(name, asked.get(call, 0)) + 1  # an older worker has named it in full
            if times >= run.profile.limits.repeats:
                raise run.end(ErrorType.NO_PROGRESS, f"the model asked {times} times for the same call: {call[:200]}")
        run.state = run.state.model_copy(update={"asked": asked})


def _raised(message: ToolMessage | BaseException) -> ToolMessage:
    """A call that ends the run does so once the others have ended too."""
    if isinstance(message, BaseException):
        raise message
    return message
