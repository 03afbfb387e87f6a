"""What a tool call's failure means: for its claim, for its breaker, and for whether it is tried again."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError

from activities.passage import Passage, failed, landing
from activities.verdicts import circuit_opened
from surefoot.contracts.breakers import Transition, Verdict
from surefoot.contracts.tools import Effect
from surefoot.errors import CallFailed, ErrorType, Fault, ToolFailure, final, retryable
from surefoot.ports import Fate


async def foreseen(passage: Passage, failure: ToolFailure, took: timedelta) -> ApplicationError:
    """Report the failure, say what becomes of the claim, and decide whether Temporal tries again."""
    contract, attempts = passage.call.contract, passage.attempts
    again = failure.fault is Fault.RETRYABLE and attempts < contract.attempts
    fate = _fate(passage, failure, again=again)
    changes = await passage.leave(failure.verdict, fate, failure=failure, reached=failure.reached, took=took)
    details = CallFailed(
        tool=contract.name,
        attempts=attempts,
        message=str(failure),
        status=failure.status,
        maybe_done=fate in (Fate.DOUBT, Fate.UNKNOWN),
        transitions=changes,
        unsettled=passage.unsettled,
    )
    if fate is Fate.UNKNOWN or (fate is Fate.DOUBT and passage.effect is Effect.KEYED and not again):
        return final(ErrorType.OUTCOME_UNKNOWN, str(failure), details)
    if fate is Fate.DOUBT:
        return _doubtful(passage, failure, changes, details)
    opened = circuit_opened(changes)
    if opened:
        return opened
    if again:
        return retryable(ErrorType.TOOL_RETRYABLE, str(failure), details, retry_after=failure.retry_after)
    kind = ErrorType.INVALID_ARGUMENTS if failure.fault is Fault.MODELS_OWN else ErrorType.TOOL_FAILED
    return final(kind, str(failure), details)


async def unforeseen(
    passage: Passage, error: BaseException, took: timedelta, *, reached: bool = True
) -> ApplicationError:
    """A tool with a bug. It says nothing of the target's health, nor whether the effect happened."""
    fate = passage.unanswered
    changes = await passage.leave(Verdict.NEUTRAL, fate, reached=reached, took=took)
    maybe_done = fate is not Fate.RELEASED
    kind = ErrorType.OUTCOME_UNKNOWN if maybe_done else ErrorType.TOOL_FAILED
    message = f"its handler raised {type(error).__name__}"
    return failed(
        passage.call,
        kind,
        message,
        passage.attempts,
        changes,
        maybe_done=maybe_done,
        unsettled=passage.unsettled,
    )


def _fate(passage: Passage, failure: ToolFailure, *, again: bool) -> Fate:
    """A refusal says nothing about an earlier attempt with the same key that was never answered."""
    claim = passage.claim
    if failure.maybe_done or (claim and claim.in_doubt and passage.effect is Effect.KEYED):
        return passage.unanswered
    return Fate.CLEAR if claim and again else Fate.RELEASED


def _doubtful(
    passage: Passage, failure: ToolFailure, changes: tuple[Transition, ...], details: CallFailed
) -> ApplicationError:
    """Try again, or ask the target once the request can no longer land; unless its circuit is open now."""
    if circuit_opened(changes):
        return final(ErrorType.OUTCOME_UNKNOWN, str(failure), details)
    wait = landing(passage.call) if passage.effect is Effect.VERIFIABLE else failure.retry_after
    return retryable(ErrorType.TOOL_RETRYABLE, str(failure), details, retry_after=wait)
