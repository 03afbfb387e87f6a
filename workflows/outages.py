"""What a run tells of an outage of the store: one incident for the whole fleet, although the store cannot count it."""

from collections.abc import Sequence

from temporalio import workflow

from surefoot.contracts.incidents import IncidentKind, IncidentReport, Recovery
from surefoot.contracts.models import ModelBooking
from surefoot.contracts.tools import ToolBooking
from surefoot.idempotency import incident_id
from surefoot.incidents.recovery import STORE_ANSWERS
from workflows.guard_news import FLEET
from workflows.reporting import Told, recovered, tell
from workflows.run import Run
from workflows.unhindered import unhindered

TOLD_SINCE = "store_outage"
"""Names the change for runs that were waiting for the store when a worker first knew of these incidents."""
MOST_A_DAY = 20
"""Outages of a day that are told; what comes after them is in the runs' steps alone."""


async def met(run: Run, why: str) -> None:
    """Open the incident of this outage, or add an occurrence to it: once a run and outage.

    Temporal does the counting that the store cannot. The first outage of a day (UTC) that a task queue meets is
    number 1. A run takes the first number whose incident can be opened or is open; one that is over belongs to an
    earlier outage, so it takes the next. So runs need share neither clock nor memory, with these limits: an outage
    that lasts past midnight is told again by runs that meet it then; one that begins while the incident of the last
    is being closed is an occurrence of that; and if every run that told of it ends before the store is back, a
    person or the incident's own watch has to resolve it.
    """
    if run.state.outage or not workflow.patched(TOLD_SINCE):
        return
    for number in range(1, MOST_A_DAY + 1):
        report = _report(run, number, why)
        incident = incident_id(report)
        if incident in run.state.incidents:
            continue  # told before, and over
        run.state = run.state.model_copy(update={"outage": incident})
        told = await unhindered(tell(report))
        if told is not Told.LATE:
            run.state = run.state.model_copy(update={"incidents": (*run.state.incidents, incident)})
            run.note(f"incident {told}: {report.summary}")
            return
    run.state = run.state.model_copy(update={"outage": ""})


async def over(run: Run) -> None:
    """The store has answered a run that met its outage: the incident resolves."""
    incident = run.state.outage
    if not incident:
        return
    run.state = run.state.model_copy(update={"outage": ""})
    recovery = Recovery(run_id=workflow.info().workflow_id, summary=STORE_ANSWERS, at=workflow.now())
    await unhindered(recovered(incident, recovery))
    run.note(recovery.summary)


async def unsettled(run: Run, bookings: Sequence[ModelBooking | ToolBooking]) -> None:
    """Keep what the store was not there to be told, for the next check to book."""
    if bookings:
        run.state = run.state.model_copy(update={"unsettled": (*run.state.unsettled, *bookings)})
        await met(run, "what a call has cost or done could not be booked")


def _report(run: Run, number: int, why: str) -> IncidentReport:
    return run.report(
        IncidentKind.STORE_OUTAGE,
        "redis",
        f"{run.profile.fleet}:{workflow.now():%Y-%m-%d}-{number}",
        f"Redis does not answer, for the {_ordinal(number)} time today: {why}.",
        {"task_queue": run.profile.fleet, "outage_of_the_day": number, "epoch": run.state.store},
        tenant=FLEET,
    )


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number, "th")
    return f"{number}{ending}"
