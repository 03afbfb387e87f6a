"""Learns that what failed works again, or that nobody asks any more."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from activities.watching import WatchActivities
from surefoot.contracts.incidents import Plan, WatchRequest
from surefoot.incidents import record
from surefoot.incidents.markdown import span
from surefoot.incidents.recovery import can_be_seen
from workflows import policies
from workflows.case import Case


async def watch(case: Case, plan: Plan) -> None:
    """Look by oneself, in case no one tells: after ``plan.watch_every``, then less and less often, down to hourly.

    However long that takes it leaves five events: two of the timer and three of one activity, of which each look is
    an attempt.
    """
    if not can_be_seen(case.incident.report):
        return
    await _resolved_within(case, plan.watch_every, "before it looks for itself")
    if case.resolved:
        return
    recovery = await workflow.execute_activity_method(
        WatchActivities.watch,
        WatchRequest(incident_id=case.incident.id, report=case.incident.report),
        start_to_close_timeout=policies.WATCH_TIMEOUT,
        retry_policy=policies.watch_retry(plan.watch_every),
        summary="looks whether it works again",
    )
    if recovery and not case.resolved:
        now = workflow.now()
        case.become(record.resolved(case.incident, by=record.ITSELF, why=recovery.summary, at=now))


async def expire(case: Case, plan: Plan) -> None:
    """Close an incident that nothing was heard of for ``plan.stale_after``: two events for each such time."""
    while not case.resolved:
        heard = case.incident.heard_at or case.incident.last_at
        left = heard + plan.stale_after - workflow.now()
        if left <= timedelta(0):
            why = f"nothing was heard of it for {span(plan.stale_after)}; whether it works again is not known"
            case.become(record.resolved(case.incident, by=record.ITSELF, why=why, at=workflow.now()))
            return
        await _resolved_within(case, left, "closes if nothing is heard of it")


async def _resolved_within(case: Case, wait: timedelta, summary: str) -> None:
    with suppress(TimeoutError):
        await workflow.wait_condition(lambda: case.resolved, timeout=wait, timeout_summary=summary)
