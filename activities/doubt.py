"""What becomes of a call whose earlier attempt may have happened, by the effect of its tool."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from pydantic import JsonValue

from activities.passage import LANDING_MARGIN, Passage
from surefoot.contracts.breakers import Verdict
from surefoot.contracts.tools import Claim, Effect, ToolCall
from surefoot.errors import ErrorType, ToolFailure, retryable
from surefoot.ports import Fate

Ask: TypeAlias = Callable[[], Awaitable[tuple[JsonValue, timedelta]]]
"""Asks the target by key: the result or None, and how long it took. Raises ``ToolFailure``."""


def remembered(call: ToolCall, attempt: int, *, was_sending: bool) -> bool:
    """Whether a request may have left before this attempt, by what Temporal knows, should Redis have been wiped.

    ``was_sending`` is what the attempt before this one said last. A keyed call is repeated in any case.
    """
    if call.contract.effect is Effect.UNSAFE:
        return call.in_doubt or was_sending
    return call.in_doubt or (call.contract.effect is Effect.VERIFIABLE and attempt > 1)


async def settled(passage: Passage, ask: Ask) -> tuple[JsonValue, timedelta] | None:
    """The result of an earlier attempt whose outcome nobody told, or None if it is safe to go on."""
    claim = passage.claim
    if claim is None or not claim.in_doubt or passage.effect is Effect.KEYED:
        return None
    if passage.effect is Effect.UNSAFE:
        message = "an earlier attempt may have sent its request, and nobody has told what came of it"
        raise await passage.end(ErrorType.OUTCOME_UNKNOWN, message, Fate.UNKNOWN, attempts=passage.attempts)
    await _landed(passage, claim)
    began = asyncio.get_running_loop().time()
    try:
        found, took = await ask()
    except ToolFailure as failure:
        took = timedelta(seconds=asyncio.get_running_loop().time() - began)
        await passage.leave(failure.verdict, Fate.DOUBT, failure=failure, reached=False, took=took)
        message = f"the look-up failed: {failure}"
        raise retryable(ErrorType.TOOL_RETRYABLE, message, retry_after=failure.retry_after) from failure
    return None if found is None else (found, took)


async def _landed(passage: Passage, claim: Claim) -> None:
    """Asking counts only once the earlier request can no longer have its effect."""
    wait = claim.settle_after - datetime.now(UTC) if claim.settle_after else timedelta(0)
    if wait > timedelta(0):
        await passage.leave(Verdict.NEUTRAL, Fate.DOUBT, reached=False)
        message = "the earlier request may still land"
        raise retryable(ErrorType.TOOL_RETRYABLE, message, retry_after=wait + LANDING_MARGIN)
