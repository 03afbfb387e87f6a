"""One attempt of a tool call, in the order that makes its effect happen once."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import doubt, tool_failures
from activities.heartbeat import Pulse
from activities.outside import Ended, ended, held
from activities.passage import LANDING_MARGIN, Passage, failed, landing
from activities.persistence import persisted
from activities.verdicts import refused
from surefoot.contracts.breakers import Verdict
from surefoot.contracts.tools import Claim, Effect, ToolCall, ToolResult
from surefoot.crash_points import UNARMED, CrashPoint, CrashPoints
from surefoot.errors import (
    CallFailed,
    ErrorType,
    StoreUnavailable,
    Superseded,
    ToolFailure,
    Unreachable,
    call_unmade,
    retryable,
)
from surefoot.idempotency import canonical
from surefoot.ports import Busy, Doubtful, Fate, Guards, Proceed, Refused, Replay

if TYPE_CHECKING:
    from activities.tools import ToolPort

LEASE_MARGIN = timedelta(seconds=10)
"""A lease outlasts the activity's start-to-close, which outlasts the client's deadline."""


class Attempt:
    """Claims, admits, executes, completes and reports one call.

    What is done for sure is replayed; what is in doubt is settled as the tool's effect allows.
    """

    def __init__(
        self,
        guards: Guards,
        tool: "ToolPort",
        call: ToolCall,
        arguments: BaseModel,
        pulse: Pulse,
        crash: CrashPoints = UNARMED,
        lease: timedelta | None = None,
    ) -> None:
        """``lease`` is renewed while the tool works; one that outlasts the activity if None."""
        self._guards = guards
        self._crash = crash
        self._tool = tool
        self._call = call
        self._arguments = arguments
        self._pulse = pulse
        self._earlier_reads = pulse.last
        self._effect = call.contract.effect
        self._lease = lease or call.contract.span + LEASE_MARGIN
        self._marked = 0.0
        self._number = activity.info().attempt + call.earlier_attempts

    async def make(self) -> ToolResult:
        """Return the result, now or recorded; raise the application error that says what comes next."""
        match await self._enter():
            case Refused() as refusal:
                raise self._refused(refusal)
            case Replay(content=content, attempts=attempts):
                return ToolResult(content=content, replayed=True, attempts=attempts)
            case Busy(remaining=remaining):
                return await self._follow(remaining)
            case Doubtful(attempts=attempts):
                raise failed(self._call, ErrorType.OUTCOME_UNKNOWN, "an earlier call ended unknown", attempts)
            case Proceed() as proceed:
                return await self._proceed(Passage(self._guards, self._call, proceed, self._earlier_reads, self._crash))

    async def _enter(self) -> Proceed | Refused | Replay | Busy | Doubtful:
        call, info = self._call, activity.info()
        self._crash.reach(CrashPoint.BEFORE_CLAIM)
        self._marked = asyncio.get_running_loop().time()
        return await self._guards.begin_tool_call(
            tool=call.contract.name,
            breaker=call.contract.breaker,
            effect_key=None if self._effect is Effect.READ else call.effect_key,
            owner=f"{info.workflow_run_id}/{info.activity_id}",
            attempt=self._number,
            lease=self._lease,
            mark_sent=self._effect in (Effect.KEYED, Effect.VERIFIABLE),
            lands_within=landing(call),
            tenant=call.tenant,
            in_doubt=doubt.remembered(call, self._number, was_sending=self._pulse.was_sending),
        )

    def unmade(self, error: StoreUnavailable) -> ApplicationError:
        """The store was away before this attempt sent anything. Final: the run waits, and has it made again."""
        call = self._call
        earlier = call.in_doubt or (self._pulse.was_sending if self._effect is Effect.UNSAFE else self._number > 1)
        details = CallFailed(
            tool=call.contract.name,
            attempts=0,
            message=str(error),
            maybe_done=earlier and self._effect is not Effect.READ,
            unmade=self._number,
        )
        return call_unmade(details)

    def _refused(self, refusal: Refused) -> ApplicationError:
        """A circuit that is open while an earlier attempt is in doubt leaves the outcome unknown."""
        if refusal.in_doubt:
            return failed(self._call, ErrorType.OUTCOME_UNKNOWN, f"circuit {refusal.name!r} is open", 0)
        return refused(refusal)

    async def _follow(self, remaining: timedelta) -> ToolResult:
        """Another call performs this very effect: wait for its result."""
        outcome = await self._guards.follow(self._call.effect_key, remaining)
        if outcome is None:
            raise retryable(ErrorType.TOOL_RETRYABLE, "the call that performs this effect has not ended")
        return ToolResult(content=outcome.content, replayed=True, attempts=outcome.attempts)

    async def _proceed(self, passage: Passage) -> ToolResult:
        self._crash.reach(CrashPoint.AFTER_CLAIM)
        found = await doubt.settled(passage, lambda: self._asked(passage))
        if found is not None:
            content, took = found
            return await passage.done(content, took, replayed=True)
        if passage.attempts > self._call.contract.attempts:
            raise await self._spent(passage)
        await self._leaving(passage)
        return await self._execute(passage)

    async def _spent(self, passage: Passage) -> ApplicationError:
        """No attempt is left: a target that cannot be asked may have done what the last one sent."""
        claim, attempts = passage.claim, self._call.contract.attempts
        unsure = claim is not None and claim.in_doubt and self._effect is Effect.KEYED
        fate, kind = (Fate.DOUBT, ErrorType.OUTCOME_UNKNOWN) if unsure else (Fate.RELEASED, ErrorType.TOOL_FAILED)
        return await passage.end(kind, "its attempts are spent", fate, attempts=attempts, reached=False)

    async def _leaving(self, passage: Passage) -> None:
        """Mark that a request leaves now, unless it has been marked since the claiming, with no time lost."""
        claim = passage.claim
        asked = claim is not None and claim.in_doubt and self._effect is Effect.VERIFIABLE
        if claim is not None and (asked or self._effect is Effect.UNSAFE):
            counted = claim.model_copy(update={"attempts": claim.attempts - 1}) if asked else claim
            passage.claim = await self._marked_sent(passage, counted)
        if self._effect is Effect.UNSAFE:
            await self._announced(passage)
        self._crash.reach(CrashPoint.AFTER_SENT)
        if claim is not None and asyncio.get_running_loop().time() - self._marked > LANDING_MARGIN.total_seconds():
            raise await self._unsent(passage, "this worker was held up for too long to send the request")

    async def _marked_sent(self, passage: Passage, claim: Claim) -> Claim:
        try:
            marked = await persisted(lambda: self._mark(claim))
        except Superseded:
            await passage.leave(Verdict.NEUTRAL, Fate.CLEAR, reached=False)
            raise
        if marked is None:
            raise StoreUnavailable("Redis did not answer when the request was about to leave, so it was not sent")
        return marked

    async def _mark(self, claim: Claim) -> Claim:
        self._marked = asyncio.get_running_loop().time()
        return await self._guards.mark_sent(claim, lands_within=landing(self._call))

    async def _announced(self, passage: Passage) -> None:
        """Only Temporal remembers that an unsafe request may have left, should Redis be wiped."""
        try:
            await self._pulse.about_to_send()
        except Unreachable as error:
            raise await self._unsent(passage, str(error)) from error

    async def _unsent(self, passage: Passage, why: str) -> ApplicationError:
        await passage.leave(Verdict.NEUTRAL, Fate.CLEAR, reached=False)
        return retryable(ErrorType.TOOL_RETRYABLE, f"the request was not sent: {why}")

    async def _execute(self, passage: Passage) -> ToolResult:
        if passage.claim is None:
            self._pulse.beat(passage.attempts)
        outcome = await self._outside(passage, self._tool.execute(self._arguments, passage.context))
        if isinstance(outcome.error, ToolFailure):
            raise await tool_failures.foreseen(passage, outcome.error, outcome.took) from outcome.error
        if outcome.error:
            raise await tool_failures.unforeseen(passage, outcome.error, outcome.took) from outcome.error
        self._crash.reach(CrashPoint.AFTER_EFFECT)
        return await passage.done(outcome.result, outcome.took, replayed=False)

    async def _asked(self, passage: Passage) -> tuple[JsonValue, timedelta]:
        outcome = await self._outside(passage, self._tool.look_up(passage.context), reached=False)
        if isinstance(outcome.error, ToolFailure):
            raise outcome.error
        if outcome.error:
            raise await tool_failures.unforeseen(passage, outcome.error, outcome.took, reached=False) from outcome.error
        return outcome.result, outcome.took

    async def _outside(
        self, passage: Passage, call: Coroutine[Any, Any, JsonValue], *, reached: bool = True
    ) -> Ended[JsonValue]:
        """Call the target, and keep the claim meanwhile; raises ``Superseded`` if it has gone to somebody else."""
        claim = passage.claim
        try:
            outcome = await ended(_json(call), held(self._guards, claim, self._lease) if claim else None)
        except asyncio.CancelledError:
            await passage.leave(Verdict.NEUTRAL, passage.unanswered, reached=reached)
            raise
        if outcome.lost and claim:
            await passage.leave(Verdict.NEUTRAL, passage.unanswered, reached=reached, took=outcome.took)
            raise Superseded(f"the claim {claim.key!r} has passed from {claim.owner!r} to another owner in mid-call")
        return outcome


async def _json(call: Coroutine[Any, Any, JsonValue]) -> JsonValue:
    """A result that is not JSON could be neither recorded nor told: its tool has a bug."""
    content = await call
    canonical(content)
    return content
