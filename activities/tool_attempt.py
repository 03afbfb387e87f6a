"""One attempt of a tool call, in the order that makes its effect happen once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeat import Pulse
from activities.persistence import persisted
from activities.verdicts import circuit_opened, refused
from surefoot.contracts.breakers import Transition, Verdict
from surefoot.contracts.tools import Claim, Effect, ToolBooking, ToolCall, ToolResult
from surefoot.crash_points import UNARMED, CrashPoint, CrashPoints
from surefoot.errors import CallFailed, ErrorType, Fault, StoreUnavailable, ToolFailure, final, retryable
from surefoot.ports import Busy, Doubtful, Fate, Guards, Proceed, Refused, Replay, ToolContext

if TYPE_CHECKING:
    from activities.tools import ToolPort

LEASE_MARGIN = timedelta(seconds=10)
"""A lease outlasts the activity's start-to-close, which outlasts the client's deadline."""
LANDING_MARGIN = timedelta(seconds=1)
"""A request may still land this long after its client's deadline."""


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
    ) -> None:
        self._guards = guards
        self._crash = crash
        self._tool = tool
        self._call = call
        self._arguments = arguments
        self._pulse = pulse
        self._earlier_reads = pulse.last
        self._effect = call.contract.effect
        self._admission: tuple[Transition, ...] = ()
        self._marked = 0.0

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
                raise self._error(ErrorType.OUTCOME_UNKNOWN, "an earlier call ended unknown", attempts)
            case Proceed() as proceed:
                self._admission = (proceed.transition,) if proceed.transition else ()
                return await self._proceed(proceed)

    async def _enter(self) -> Proceed | Refused | Replay | Busy | Doubtful:
        call, info = self._call, activity.info()
        self._crash.reach(CrashPoint.BEFORE_CLAIM)
        self._marked = asyncio.get_running_loop().time()
        return await self._guards.begin_tool_call(
            tool=call.contract.name,
            breaker=call.contract.breaker,
            effect_key=None if self._effect is Effect.READ else call.effect_key,
            owner=f"{info.workflow_run_id}/{info.activity_id}",
            attempt=info.attempt,
            lease=call.contract.span + LEASE_MARGIN,
            mark_sent=self._effect in (Effect.KEYED, Effect.VERIFIABLE),
            lands_within=self._landing,
            tenant=call.tenant,
        )

    def _refused(self, refusal: Refused) -> ApplicationError:
        """A circuit that is open while an earlier attempt is in doubt leaves the outcome unknown."""
        if refusal.in_doubt:
            return self._error(ErrorType.OUTCOME_UNKNOWN, f"circuit {refusal.name!r} is open", 0)
        return refused(refusal)

    async def _follow(self, remaining: timedelta) -> ToolResult:
        """Another call performs this very effect: wait for its result."""
        outcome = await self._guards.follow(self._call.effect_key, remaining)
        if outcome is None:
            raise retryable(ErrorType.TOOL_RETRYABLE, "the call that performs this effect has not ended")
        return ToolResult(content=outcome.content, replayed=True, attempts=outcome.attempts)

    async def _proceed(self, proceed: Proceed) -> ToolResult:
        claim = proceed.claim
        self._crash.reach(CrashPoint.AFTER_CLAIM)
        if claim is not None and self._forgotten(claim):
            await self._leave(proceed, claim, Verdict.NEUTRAL, Fate.DOUBT)
            raise retryable(
                ErrorType.TOOL_RETRYABLE, "an earlier attempt left no claim", retry_after=self._landing + LANDING_MARGIN
            )
        if claim is not None and claim.in_doubt:
            found = await self._settle_doubt(proceed, claim)
            if found is not None:
                return await self._done(claim, proceed, found, replayed=True)
        if self._attempts(claim) > self._call.contract.attempts:
            raise await self._spent(proceed, claim)
        return await self._execute(proceed, await self._in_time(proceed, await self._leaving(claim)))

    def _forgotten(self, claim: Claim) -> bool:
        """An earlier attempt has left no trace, as when Redis was wiped: its request may have left all the same."""
        return self._effect is Effect.VERIFIABLE and activity.info().attempt > 1 and claim.fence == 1

    async def _leaving(self, claim: Claim | None) -> Claim | None:
        """The claim, marked that a request leaves now: unless it has been since the claiming, with no time lost."""
        asked = claim is not None and claim.in_doubt and self._effect is Effect.VERIFIABLE
        if claim is None or not (asked or self._effect is Effect.UNSAFE):
            return claim
        counted = claim.model_copy(update={"attempts": claim.attempts - 1}) if asked else claim
        marked = await persisted(lambda: self._mark(counted))
        if marked is None:
            raise StoreUnavailable("Redis did not answer when the request was about to leave, so it was not sent")
        return marked

    async def _mark(self, claim: Claim) -> Claim:
        self._marked = asyncio.get_running_loop().time()
        return await self._guards.mark_sent(claim, lands_within=self._landing)

    async def _in_time(self, proceed: Proceed, claim: Claim | None) -> Claim | None:
        """The claim, unless a frozen process has let its time go by: its request might land late."""
        self._crash.reach(CrashPoint.AFTER_SENT)
        if claim is None or asyncio.get_running_loop().time() - self._marked <= LANDING_MARGIN.total_seconds():
            return claim
        await self._leave(proceed, claim, Verdict.NEUTRAL, Fate.CLEAR, reached=False)
        raise retryable(ErrorType.TOOL_RETRYABLE, "this worker was held up for too long to send the request")

    async def _spent(self, proceed: Proceed, claim: Claim | None) -> ApplicationError:
        """No attempt is left: a target that cannot be asked may have done what the last one sent."""
        doubt = claim is not None and claim.in_doubt and self._effect is Effect.KEYED
        fate, kind = (Fate.DOUBT, ErrorType.OUTCOME_UNKNOWN) if doubt else (Fate.RELEASED, ErrorType.TOOL_FAILED)
        await self._leave(proceed, claim, Verdict.NEUTRAL, fate, reached=False)
        return self._error(kind, "its attempts are spent", self._call.contract.attempts)

    async def _settle_doubt(self, proceed: Proceed, claim: Claim) -> JsonValue:
        """An earlier request may have happened. Return its result if it did, None if it is safe to go on."""
        if self._effect is Effect.UNSAFE:
            await self._leave(proceed, claim, Verdict.NEUTRAL, Fate.UNKNOWN)
            raise self._error(ErrorType.OUTCOME_UNKNOWN, "an earlier attempt was cut off in mid-call", claim.attempts)
        if self._effect is Effect.KEYED:
            return None
        wait = claim.settle_after - datetime.now(UTC) if claim.settle_after else timedelta(0)
        if wait > timedelta(0):
            await self._leave(proceed, claim, Verdict.NEUTRAL, Fate.DOUBT, reached=False)
            raise retryable(
                ErrorType.TOOL_RETRYABLE, "the earlier request may still land", retry_after=wait + LANDING_MARGIN
            )
        try:
            return await self._tool.look_up(self._context())
        except ToolFailure as failure:
            await self._leave(proceed, claim, failure.verdict, Fate.DOUBT, failure=failure, reached=False)
            raise retryable(
                ErrorType.TOOL_RETRYABLE, f"the look-up failed: {failure}", retry_after=failure.retry_after
            ) from failure

    async def _execute(self, proceed: Proceed, claim: Claim | None) -> ToolResult:
        if claim is None:
            self._pulse.beat(self._attempts(None))
        try:
            content = await self._tool.execute(self._arguments, self._context())
        except ToolFailure as failure:
            raise await self._failed(proceed, claim, failure) from failure
        except asyncio.CancelledError:
            fate = Fate.UNKNOWN if self._effect is Effect.UNSAFE else Fate.DOUBT
            await self._leave(proceed, claim, Verdict.NEUTRAL, fate)
            raise
        self._crash.reach(CrashPoint.AFTER_EFFECT)
        return await self._done(claim, proceed, content, replayed=False)

    async def _done(self, claim: Claim | None, proceed: Proceed, content: JsonValue, *, replayed: bool) -> ToolResult:
        receipt = await persisted(lambda: self._guards.complete_tool_call(claim, content, proceed.permit))
        self._crash.reach(CrashPoint.BEFORE_COMPLETION)
        booking = ToolBooking(claim=claim, content=content, permit=proceed.permit, verdict=Verdict.SUCCESS)
        return ToolResult(
            content=content,
            replayed=replayed,
            attempts=self._attempts(claim),
            transitions=(*self._admission, *(receipt.transitions if receipt else ())),
            unsettled=() if receipt else (booking,),
        )

    async def _failed(self, proceed: Proceed, claim: Claim | None, failure: ToolFailure) -> ApplicationError:
        """Report the failure, say what becomes of the claim, and decide whether Temporal tries again."""
        again = failure.fault is Fault.RETRYABLE and self._attempts(claim) < self._call.contract.attempts
        fate = self._fate(claim, failure, again=again)
        changes = await self._leave(proceed, claim, failure.verdict, fate, failure=failure, reached=failure.reached)
        details = CallFailed(
            tool=self._call.contract.name,
            attempts=self._attempts(claim),
            message=str(failure),
            status=failure.status,
            maybe_done=fate in (Fate.DOUBT, Fate.UNKNOWN),
            transitions=changes,
        )
        if fate is Fate.UNKNOWN or (fate is Fate.DOUBT and self._effect is Effect.KEYED and not again):
            return final(ErrorType.OUTCOME_UNKNOWN, str(failure), details)
        if fate is Fate.DOUBT:
            return self._doubtful(failure, changes, details)
        opened = circuit_opened(changes)
        if opened:
            return opened
        if again:
            return retryable(ErrorType.TOOL_RETRYABLE, str(failure), details, retry_after=failure.retry_after)
        kind = ErrorType.INVALID_ARGUMENTS if failure.fault is Fault.MODELS_OWN else ErrorType.TOOL_FAILED
        return final(kind, str(failure), details)

    def _fate(self, claim: Claim | None, failure: ToolFailure, *, again: bool) -> Fate:
        """A refusal says nothing about an earlier attempt with the same key that was never answered."""
        if claim is None:
            return Fate.RELEASED
        if failure.maybe_done or (claim.in_doubt and self._effect is Effect.KEYED):
            return Fate.UNKNOWN if self._effect is Effect.UNSAFE else Fate.DOUBT
        return Fate.CLEAR if again else Fate.RELEASED

    def _doubtful(self, failure: ToolFailure, changes: tuple[Transition, ...], details: CallFailed) -> ApplicationError:
        """Try again, or ask the target once the request can no longer land; unless its circuit is open now."""
        if circuit_opened(changes):
            return final(ErrorType.OUTCOME_UNKNOWN, str(failure), details)
        wait = self._landing if self._effect is Effect.VERIFIABLE else failure.retry_after
        return retryable(ErrorType.TOOL_RETRYABLE, str(failure), details, retry_after=wait)

    async def _leave(
        self,
        proceed: Proceed,
        claim: Claim | None,
        verdict: Verdict,
        fate: Fate,
        *,
        failure: ToolFailure | None = None,
        reached: bool = True,
    ) -> tuple[Transition, ...]:
        retry_after = failure.retry_after if failure else None
        receipt = await persisted(
            lambda: self._guards.fail_tool_call(claim, proceed.permit, verdict, retry_after, fate=fate, reached=reached)
        )
        return (*self._admission, *(receipt.transitions if receipt else ()))

    def _attempts(self, claim: Claim | None) -> int:
        """Attempts that reached the target, this one included. A ``read`` counts them in its heartbeats."""
        if claim is not None:
            return max(claim.attempts, 1)
        return self._earlier_reads + 1

    @property
    def _landing(self) -> timedelta:
        return self._call.contract.deadline + LANDING_MARGIN

    def _context(self) -> ToolContext:
        key = None if self._effect is Effect.READ else self._call.effect_key
        return ToolContext(key=key, deadline=self._call.contract.deadline, tenant=self._call.tenant)

    def _error(self, kind: ErrorType, message: str, attempts: int) -> ApplicationError:
        details = CallFailed(
            tool=self._call.contract.name, attempts=attempts, message=message, transitions=self._admission
        )
        return final(kind, message, details)
