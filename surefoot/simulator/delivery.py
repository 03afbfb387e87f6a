"""Serving one request under the fault that it meets."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from surefoot.simulator.answers import MALFORMED, Answer
from surefoot.simulator.faults import Fault, FaultKind
from surefoot.simulator.records import CallEntry
from surefoot.simulator.server import drop, reset

Act: TypeAlias = Callable[[], Answer]
Refuse: TypeAlias = Callable[[Fault], Answer]

TELLTALE = 0.01
"""Seconds that the first half of an answer gets to arrive before its connection is reset."""


async def _silence(scope: Scope, receive: Receive, send: Send) -> None:
    """Say nothing to the end of the connection."""
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Return when the connection has been closed, by whichever side."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _gone_within(request: Request, seconds: float) -> bool:
    try:
        await asyncio.wait_for(_gone(request.receive), seconds)
    except TimeoutError:
        return False
    return True


@dataclass(frozen=True)
class _Half:
    """The first half of an answer; then a reset, or silence until the client has gone."""

    answer: Answer
    then_reset: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.answer.start(send)
        await send({"type": "http.response.body", "body": self.answer.first_half, "more_body": True})
        if self.then_reset:
            await asyncio.sleep(TELLTALE)
            reset(scope)
        await _gone(receive)


async def deliver(request: Request, fault: Fault | None, call: CallEntry, act: Act, refuse: Refuse) -> ASGIApp:
    """Answer as the fault wants it. ``act`` applies and answers, ``refuse`` makes the error of a ``status`` fault."""
    if fault is None:
        return _answered(call, act())
    call.fault = fault.kind
    if fault.kind is FaultKind.STATUS:
        return _answered(call, _refusal(fault, refuse))
    if await _fails_before(request, fault):
        return _silence
    return _mangled(act(), request, fault, call)


async def _fails_before(request: Request, fault: Fault) -> bool:
    """Wait or fail as the fault wants it; True if nothing may be applied any more."""
    match fault.kind:
        case FaultKind.LATENCY:
            return await _gone_within(request, fault.seconds)
        case FaultKind.HANG:
            await _gone(request.receive)
            return True
        case FaultKind.HANG_THEN_APPLY:
            await asyncio.sleep(fault.seconds)
        case FaultKind.RESET:
            reset(request.scope)
            return True
    return False


def _mangled(answer: Answer, request: Request, fault: Fault, call: CallEntry) -> ASGIApp:
    """What is left of the answer to something that has been applied."""
    match fault.kind:
        case FaultKind.APPLY_THEN_LOSE:
            drop(request.scope)
            return _silence
        case FaultKind.CUT | FaultKind.STALL:
            return _Half(answer, then_reset=fault.kind is FaultKind.CUT)
        case FaultKind.MALFORMED:
            return _answered(call, MALFORMED)
    return _answered(call, answer)


def _refusal(fault: Fault, refuse: Refuse) -> Answer:
    answer = refuse(fault)
    if fault.retry_after is None:
        return answer
    return replace(answer, headers={**answer.headers, "retry-after": str(fault.retry_after)})


def _answered(call: CallEntry, answer: Answer) -> Answer:
    call.status = answer.status
    return answer
