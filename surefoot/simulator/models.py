"""Serving a provider's model: what its dialects have in common."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.types import ASGIApp

from surefoot.contracts.base import JsonObject
from surefoot.contracts.models import Prompt
from surefoot.simulator.answers import Answer
from surefoot.simulator.delivery import deliver
from surefoot.simulator.faults import Fault, FaultKind
from surefoot.simulator.records import CallEntry
from surefoot.simulator.script import Performance, perform
from surefoot.simulator.signatures import Signatures
from surefoot.simulator.tokens import input_tokens
from surefoot.simulator.worlds import World


class Refused(Exception):
    """The provider does not take the request: an HTTP status and what is wrong."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Session:
    """One request to a model: what was asked, what is known, and the entry in the call log."""

    request: Request
    body: JsonObject
    call: CallEntry
    model: str
    version: str
    """What the provider says it served."""
    signatures: Signatures
    context: int | None = None
    """Tokens of the longest prompt that the model takes; None for no limit."""

    def excess(self, prompt: Prompt) -> int:
        """The tokens of a prompt that is too long; 0 for any other."""
        tokens = input_tokens(prompt)
        return tokens if self.context is not None and tokens > self.context else 0

    def perform(self, prompt: Prompt, *, think: bool) -> Performance:
        """Let the scripted model work, and log what that costs."""
        performance = perform(prompt, think=think)
        self.call.model_version, self.call.usage = self.version, performance.usage
        return performance


Speak: TypeAlias = Callable[[Session], Answer]
Complain: TypeAlias = Callable[[int, str, str], Answer]


async def serve_model(
    request: Request, target: str, speak: Speak, complain: Complain, *, operation: str | None = None
) -> ASGIApp:
    """Answer a request to a model under the fault that it meets. ``complain`` makes the provider's error bodies."""
    world: World = request.app.state.worlds[request.path_params["world"]]
    body = _parsed(await request.body())
    model = request.path_params.get("model") or str(body.get("model"))
    call = world.records.call(target, operation or model, method="POST", key=None)
    fault = world.faults.strike(target, operation or model)
    version = fault.model if fault and fault.kind is FaultKind.SERVED_AS else model
    context = fault.tokens if fault and fault.kind is FaultKind.CONTEXT else None
    session = Session(request, body, call, model, version, world.signatures, context)

    def act() -> Answer:
        try:
            return speak(session)
        except Refused as refused:
            return complain(refused.status, str(refused), refused.code)

    def refuse(fault: Fault) -> Answer:
        return complain(fault.status, f"{fault.status}, as it was told to", "")

    return await deliver(request, fault, call, act, refuse)


def _parsed(raw: bytes) -> JsonObject:
    """The body, or an empty object for what is none: the dialects refuse that on their own."""
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
