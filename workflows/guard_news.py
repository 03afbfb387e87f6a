"""Turns what the guards report into incidents: transitions of breakers, and lines that spending crossed."""

from temporalio import workflow

from surefoot.contracts.breakers import BreakerState, Transition
from surefoot.contracts.budgets import Crossing, ScopeStatus, dollars
from surefoot.contracts.incidents import IncidentKind, IncidentReport, Recovery
from surefoot.idempotency import incident_id
from workflows.reporting import recovered
from workflows.run import Run

FLEET = "fleet"
"""The tenant of incidents about things that all tenants share."""


async def transitions(run: Run, changes: tuple[Transition, ...]) -> None:
    """An opening opens an incident, a closing resolves it; a half-open breaker is no news."""
    for change in changes:
        if change.after is BreakerState.OPEN:
            await breaker_open(run, change.name, change.episode, change.reason)
        elif change.after is BreakerState.CLOSED:
            await _breaker_closed(run, change)


async def breaker_open(run: Run, name: str, episode: str, reason: str = "") -> None:
    """Also told by every run that meets an open breaker, since the one that opened it may have died."""
    await run.tell(_breaker_report(run, name, episode, reason or "calls are refused"))


def _breaker_report(run: Run, name: str, episode: str, reason: str) -> IncidentReport:
    summary = f"The circuit of {name} is open: {reason}."
    facts = {"breaker": name, "reason": reason}
    return run.report(IncidentKind.BREAKER_OPEN, name, episode, summary, {**facts}, tenant=FLEET)


async def _breaker_closed(run: Run, change: Transition) -> None:
    run.note(f"circuit {change.name} closed")
    await recovered(
        incident_id(_breaker_report(run, change.name, change.episode, change.reason)),
        Recovery(
            run_id=workflow.info().workflow_id,
            summary=f"The circuit of {change.name} closed: {change.reason or 'a probe succeeded'}.",
            at=workflow.now(),
        ),
    )


async def crossings(run: Run, lines: tuple[Crossing, ...]) -> None:
    for crossing in lines:
        kind = IncidentKind.BUDGET_SOFT if crossing.line == "soft" else IncidentKind.BUDGET_HARD
        await budget_line(run, kind, crossing.scope)


async def budget_line(run: Run, kind: IncidentKind, scope: ScopeStatus) -> None:
    """One incident for each scope, window and line."""
    soft = kind is IncidentKind.BUDGET_SOFT
    line = f"soft line of ${dollars(scope.soft_line)}" if soft else f"cap of ${dollars(scope.limit)}"
    summary = f"Spending of {scope.kind} {scope.subject} stands at ${dollars(scope.settled)}, at its {line}."
    facts = {"settled": scope.settled, "held": scope.held, "limit": scope.limit, "soft_line": scope.soft_line}
    await run.tell(run.report(kind, f"{scope.kind}:{scope.subject}", scope.window, summary, {**facts}))
