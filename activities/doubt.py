"""What becomes of a call whose earlier attempt may have happened, by the effect of its tool."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from pydantic import JsonValue
from temporalio import activity

from activities.passage import LANDING_MARGIN, Passage, landing
from surefoot.contracts.breakers import Verdict
from surefoot.contracts.tools import Claim, Effect
from surefoot.errors import ErrorType, ToolFailure, retryable
from surefoot.ports import Fate

Ask: TypeAlias = Callable[[], Awaitable[tuple[JsonValue, timedelta]]]
"""Asks the target by key: the result or None, and how long it took. Raises ``ToolFailure``."""


async def heed_the_forgotten(passage: Passage, *, was_sending: bool) -> None:
    """An earlier attempt has left no claim, as when Redis was wiped: its request may have left all the same.

    ``was_sending`` is what that attempt said last. Returns if the call may go on.
    """
    if passage.claim is None or activity.info().attempt == 1 or passage.claim.fence > 1:
        return
    if passage.effect is Effect.UNSAFE and was_sending:
        message = "an earlier attempt was about to send its request, and Redis has forgotten it"
        raise await passage.end(ErrorType.OUTCOME_UNKNOWN, message, Fate.UNKNOWN, attempts=1)
    if passage.effect is Effect.VERIFIABLE:
        await passage.leave(Verdict.NEUTRAL, Fate.DOUBT)
        wait = landing(passage.call) + LANDING_MARGIN
        raise retryable(ErrorType.TOOL_RETRYABLE, "an earlier attempt left no claim", retry_after=wait)


async def settled(passage: Passage, ask: Ask) -> tuple[JsonValue, timedelta] | None:
    """The result of an earlier attempt whose outcome nobody told, or None if it is safe to go on."""
    claim = passage.claim
    if claim is None or not claim.in_doubt or passage.effect is Effect.KEYED:
        return None
    if passage.effect is Effect.UNSAFE:
        message = "an earlier attempt was cut off in mid-call"
        raise await passage.end(ErrorType.OUTCOME_UNKNOWN, message, Fate.UNKNOWN, attempts=claim.attempts)
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
