"""A tool call that the guards have let through: what it holds, and how it gives that back."""

from datetime import timedelta

from pydantic import JsonValue
from temporalio.exceptions import ApplicationError

from activities.persistence import persisted
from surefoot.contracts.breakers import Transition, Verdict
from surefoot.contracts.tools import Effect, ToolBooking, ToolCall, ToolResult
from surefoot.crash_points import CrashPoint, CrashPoints
from surefoot.errors import CallFailed, ErrorType, Superseded, ToolFailure, final
from surefoot.ports import Fate, Guards, Proceed, ToolContext

LANDING_MARGIN = timedelta(seconds=1)
"""A request may still land this long after its client's deadline."""


def landing(call: ToolCall) -> timedelta:
    """How long a request that leaves now may take to have its effect."""
    return call.contract.deadline + LANDING_MARGIN


class Passage:
    """The claim and the permit of one attempt; ``done`` or ``leave`` ends both."""

    def __init__(self, guards: Guards, call: ToolCall, proceed: Proceed, reads: int, crash: CrashPoints) -> None:
        """``reads`` are the attempts of a ``read`` that reached the target before, which no claim counts."""
        self._guards = guards
        self._permit = proceed.permit
        self._admission = (proceed.transition,) if proceed.transition else ()
        self._reads = reads
        self._crash = crash
        self.call = call
        self.claim = proceed.claim
        self.unsettled: tuple[ToolBooking, ...] = ()
        """What the store was not there to be told."""

    @property
    def effect(self) -> Effect:
        return self.call.contract.effect

    @property
    def attempts(self) -> int:
        """Attempts that reached the target, this one included."""
        return max(self.claim.attempts, 1) if self.claim else self._reads + 1

    @property
    def context(self) -> ToolContext:
        key = None if self.effect is Effect.READ else self.call.effect_key
        return ToolContext(key=key, deadline=self.call.contract.deadline, tenant=self.call.tenant)

    @property
    def unanswered(self) -> Fate:
        """What becomes of a claim whose request got no answer that can be relied on."""
        if self.claim is None:
            return Fate.RELEASED
        return Fate.UNKNOWN if self.effect is Effect.UNSAFE else Fate.DOUBT

    async def done(self, content: JsonValue, took: timedelta, *, replayed: bool) -> ToolResult:
        """Record the result and report the success.

        Raises ``Superseded`` if the ledger does not take it, since the claim is another's: what counts is there.
        """
        claim, permit = self.claim, self._permit
        receipt = await persisted(lambda: self._guards.complete_tool_call(claim, content, permit, took))
        if claim and receipt and receipt.superseded:
            raise Superseded(f"the claim {claim.key!r} has passed from {claim.owner!r} to another owner")
        self._crash.reach(CrashPoint.BEFORE_COMPLETION)
        booking = ToolBooking(claim=claim, content=content, permit=permit, verdict=Verdict.SUCCESS, took=took)
        return ToolResult(
            content=content,
            replayed=replayed,
            attempts=self.attempts,
            transitions=(*self._admission, *(receipt.transitions if receipt else ())),
            unsettled=() if receipt else (booking,),
        )

    async def leave(
        self,
        verdict: Verdict,
        fate: Fate,
        *,
        failure: ToolFailure | None = None,
        reached: bool = True,
        took: timedelta | None = None,
    ) -> tuple[Transition, ...]:
        """Report, and say what becomes of the claim; return what this call did to the breaker."""
        claim, retry_after = self.claim, failure.retry_after if failure else None
        receipt = await persisted(
            lambda: self._guards.fail_tool_call(
                claim, self._permit, verdict, retry_after, fate=fate, reached=reached, took=took
            )
        )
        if receipt is None:
            self.unsettled = (
                ToolBooking(claim=claim, permit=self._permit, verdict=verdict, took=took, fate=fate, reached=reached),
            )
        return (*self._admission, *(receipt.transitions if receipt else ()))

    async def end(
        self, kind: ErrorType, message: str, fate: Fate, *, attempts: int, reached: bool = True
    ) -> ApplicationError:
        """Leave without a word about the target's health; return the error that no retry can mend."""
        changes = await self.leave(Verdict.NEUTRAL, fate, reached=reached)
        maybe_done = fate in (Fate.DOUBT, Fate.UNKNOWN)
        return failed(self.call, kind, message, attempts, changes, maybe_done=maybe_done, unsettled=self.unsettled)


def failed(
    call: ToolCall,
    kind: ErrorType,
    message: str,
    attempts: int,
    changes: tuple[Transition, ...] = (),
    *,
    maybe_done: bool = False,
    unsettled: tuple[ToolBooking, ...] = (),
) -> ApplicationError:
    """The error that ends a call for good."""
    details = CallFailed(
        tool=call.contract.name,
        attempts=attempts,
        message=message,
        maybe_done=maybe_done,
        transitions=changes,
        unsettled=unsettled,
    )
    return final(kind, message, details)
