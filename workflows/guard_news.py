"""Turns what the guards report into incidents: transitions of breakers, and lines that spending crossed."""

from temporalio import workflow

from surefoot.contracts.breakers import BreakerState, Transition
from surefoot.contracts.budgets import Crossing, PriceDrift, ScopeStatus, crossing_episode, dollars, lost_writes
from surefoot.contracts.incidents import IncidentKind, IncidentReport, Recovery
from surefoot.idempotency import incident_id
from workflows.reporting import recovered
from workflows.run import Run
from workflows.unhindered import unhindered

FLEET = "fleet"
"""The tenant of incidents about things that all tenants share."""
_WIPED = "Redis has lost what it held: it was wiped, or a replica without the newest writes took over."
_MISSED = "Redis has lost its newest writes, money held among them, as when a replica that lagged behind takes over."
FACTS = {"settled", "held", "limit", "soft_line", "unknown", "window", "resets_at", "round"}


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
    recovery = Recovery(
        run_id=workflow.info().workflow_id,
        summary=f"The circuit of {change.name} closed: {change.reason or 'a probe succeeded'}.",
        at=workflow.now(),
    )
    report = _breaker_report(run, change.name, change.episode, change.reason)
    await unhindered(recovered(incident_id(report), recovery))


async def crossings(run: Run, lines: tuple[Crossing, ...]) -> None:
    for crossing in lines:
        kind = IncidentKind.BUDGET_SOFT if crossing.line == "soft" else IncidentKind.BUDGET_HARD
        await _budget_line(run, kind, crossing.scope, crossing.episode)


async def drifts(run: Run, told: tuple[PriceDrift, ...]) -> None:
    """One incident for each model and version that costs more than is listed, until the store is wiped."""
    for drift in told:
        summary = (
            f"A call of {drift.model}, served by {drift.model_version}, cost ${dollars(drift.cost)},"
            f" and ${dollars(drift.bound)} was the most that it should."
        )
        episode = f"{run.state.store}:{drift.model_version}"
        facts = drift.model_dump(mode="json")
        await run.tell(run.report(IncidentKind.PRICE_DRIFT, drift.model, episode, summary, facts, tenant=FLEET))


async def stopped_by_budget(run: Run, scope: ScopeStatus, epoch: str) -> None:
    """Told by every run that the cap stops; the episode is the one that the store names for the crossing."""
    await _budget_line(run, IncidentKind.BUDGET_HARD, scope, crossing_episode(epoch, scope, "hard"))


async def store_seen(run: Run, epoch: str) -> None:
    """A store with another epoch has lost what it knew, or the newest of it: spending, claims and breakers."""
    before = run.state.store
    if not before or not epoch or before == epoch:
        return
    run.state = run.state.model_copy(update={"store": epoch})
    summary = _MISSED if lost_writes(epoch) else _WIPED
    facts = {"before": before, "now": epoch}
    await run.tell(run.report(IncidentKind.STORE_WIPED, "redis", epoch, summary, {**facts}, tenant=FLEET))


async def _budget_line(run: Run, kind: IncidentKind, scope: ScopeStatus, episode: str) -> None:
    """One incident for each scope, window and line, and a new one after the store was wiped."""
    soft = kind is IncidentKind.BUDGET_SOFT
    line = f"soft line of ${dollars(scope.soft_line)}" if soft else f"cap of ${dollars(scope.limit)}"
    summary = f"Spending of {scope.kind} {scope.subject} stands at ${dollars(scope.settled)}, at its {line}."
    facts = {**scope.model_dump(mode="json", include=FACTS), "profile": run.request.profile}
    await run.tell(run.report(kind, f"{scope.kind}:{scope.subject}", episode, summary, facts))
