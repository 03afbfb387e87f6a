"""What the model is told of a tool call, and what people are told of one that went wrong."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from surefoot.contracts.conversation import CallPart
from surefoot.contracts.guardrails import OpenCircuit
from surefoot.contracts.incidents import IncidentKind, IncidentReport
from surefoot.contracts.profiles import Profile
from surefoot.contracts.tools import Effect, ToolCall, ToolContract
from surefoot.errors import CallFailed, CircuitOpen, ErrorType, InvalidInput, detail
from surefoot.idempotency import canonical
from workflows import guard_news, outages
from workflows.run import Run

DECIDED = {ErrorType.TOOL_FAILED, ErrorType.INVALID_ARGUMENTS, ErrorType.CIRCUIT_OPEN}
"""Ends of a call that has surely changed nothing."""
SUMMARY_LENGTH = 180
"""Characters of arguments shown in the Temporal UI."""


def summary(call: ToolCall) -> str:
    return f"{call.contract.name} {canonical(call.arguments)}"[:SUMMARY_LENGTH]


def unknown_tool(call: CallPart, profile: Profile) -> str:
    granted = ", ".join(tool.name for tool in profile.tools) or "none"
    return f"There is no tool {call.tool!r}. The tools are: {granted}."


def malformed(call: CallPart) -> str:
    return f"The arguments of {call.tool!r} are not a JSON object. Call it again with valid arguments."


def invalid_arguments(call: CallPart, error: InvalidInput) -> str:
    return f"{call.tool!r} was not called: {error}. Call it again with valid arguments."


def closed_off(contracts: tuple[ToolContract, ...], circuits: tuple[OpenCircuit, ...]) -> str:
    """What the system prompt says of tools that are not offered, since their circuits are open.

    Always shorter than the contracts it stands for, so that the bound of a call covers it.
    """
    until = {circuit.name: circuit.until for circuit in circuits}
    lines = [f"- {tool.name}: {_come_back(tool, until[tool.name])}" for tool in contracts if tool.name in until]
    return "\n\nTools that are unavailable now:\n" + "\n".join(lines) if lines else ""


def _come_back(tool: ToolContract, until: datetime | None) -> str:
    if until is None:
        return f"{tool.fallback} It is not known when it will be back; do not call it again now."
    return f"{tool.fallback} Do not call it again now; it can be tried again at {until:%H:%M:%S} UTC."


async def failed(run: Run, call: ToolCall, error: ActivityError) -> str:
    """Tell people of a failed call, and return the words for the model."""
    cause, name = error.cause, call.contract.name
    kind = cause.type if isinstance(cause, ApplicationError) else None
    run.note(f"{name}: {cause}")
    if isinstance(cause, ApplicationError) and kind == ErrorType.CIRCUIT_OPEN:
        return await _circuit_open(run, call, cause)
    failure = detail(cause, CallFailed) if isinstance(cause, ApplicationError) else None
    if failure:
        await outages.unsettled(run, failure.unsettled)
        await guard_news.transitions(run, failure.transitions)
    if kind == ErrorType.INVALID_ARGUMENTS:
        return f"{name!r} refused: {failure.message if failure else cause}."
    if may_have_happened(call, error):
        await run.tell(unknown_outcome(run, call, failure.message if failure else str(cause)))
        return _unknown(call)
    return await _spent(run, call, failure, cause)


def unmade(error: ActivityError) -> CallFailed | None:
    """The store was away before the last attempt could send anything."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type != ErrorType.STORE_UNAVAILABLE:
        return None
    failure = detail(cause, CallFailed)
    return failure if failure and failure.unmade else None


def may_have_happened(call: ToolCall, error: ActivityError) -> bool:
    """No attempt had the last word, or it had and does not know: time ran out, in a call or before the next one."""
    cause = error.cause
    kind = cause.type if isinstance(cause, ApplicationError) else None
    if kind == ErrorType.OUTCOME_UNKNOWN:
        return True
    if call.contract.effect is Effect.READ or kind in DECIDED:
        return False
    failure = detail(cause, CallFailed) if isinstance(cause, ApplicationError) else None
    return failure is None or failure.maybe_done


async def _circuit_open(run: Run, call: ToolCall, cause: ApplicationError) -> str:
    opened = detail(cause, CircuitOpen)
    if opened and opened.transition:
        await guard_news.transitions(run, (opened.transition,))
    elif opened and opened.episode:  # none, if it is the circuit of one worker, which stood in for the store's
        await guard_news.breaker_open(run, opened.name, opened.episode)
    wait = opened.retry_after if opened else None
    return _come_back(call.contract, workflow.now() + wait + timedelta(seconds=1) if wait is not None else None)


def _unknown(call: ToolCall) -> str:
    if call.contract.effect is Effect.UNSAFE:
        return (
            f"It is not known whether {call.contract.name!r} happened. Do not repeat it: a human has been told and"
            " will find out. Tell the user so."
        )
    return (
        f"It is not known whether {call.contract.name!r} happened. The same call with the same arguments can be made"
        " again safely: it will not happen twice."
    )


def unknown_outcome(run: Run, call: ToolCall, why: str) -> IncidentReport:
    """An incident of its own for each effect whose outcome nobody knows."""
    name = call.contract.name
    return run.report(
        IncidentKind.OUTCOME_UNKNOWN,
        name,
        call.effect_key[:16],
        f"It is not known whether {name} happened: {why}.",
        {"tool": name, "effect": call.contract.effect, "effect_key": call.effect_key, "arguments": call.arguments},
    )


async def _spent(run: Run, call: ToolCall, failure: CallFailed | None, cause: BaseException | None) -> str:
    name = call.contract.name
    why = failure.message if failure else str(cause)
    attempts = failure.attempts if failure else 0
    await run.tell(
        run.report(
            IncidentKind.TOOL_FAILED,
            name,
            f"{run.original_id}/{call.id}",
            f"{name} failed after {attempts} attempts: {why}.",
            {
                "tool": name,
                "effect": call.contract.effect,
                "attempts": attempts,
                "error": why,
                "arguments": call.arguments,
            },
        )
    )
    return f"{name!r} failed after {attempts} attempts: {why}. Nothing was changed by it."
