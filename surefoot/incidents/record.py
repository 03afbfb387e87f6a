"""What an incident knows, and how each report changes it. Pure, so that the workflow may use it."""

from datetime import datetime

from surefoot.contracts.incidents import Incident, IncidentReport, IncidentState, Runbook
from surefoot.incidents.markdown import code, moment
from surefoot.incidents.severity import assess

SAMPLE = 20
"""Runs that an incident remembers by name."""


def opened(id: str, report: IncidentReport) -> Incident:
    """The incident after its first report."""
    return Incident(
        id=id,
        report=report,
        assessment=assess(report),
        first_at=report.at,
        last_at=report.at,
        runs=(report.run_id,),
    )


def occurred(incident: Incident, report: IncidentReport) -> Incident:
    """The incident after one more report, which may be older than the ones before."""
    runs = tuple(dict.fromkeys((*incident.runs, report.run_id)))
    return incident.model_copy(
        update={
            "occurrences": incident.occurrences + 1,
            "first_at": min(incident.first_at, report.at),
            "last_at": max(incident.last_at, report.at),
            "runs": runs[:SAMPLE],
        }
    )


def composed(incident: Incident, runbook: Runbook) -> Incident:
    """The incident with its runbook, whose severity rests on the evidence as well."""
    return incident.model_copy(update={"runbook": runbook, "assessment": runbook.assessment})


def resolved(incident: Incident, *, by: str, why: str, at: datetime) -> Incident:
    """The incident at its end."""
    return incident.model_copy(
        update={"state": IncidentState.RESOLVED, "resolved_by": by, "resolved_why": why, "resolved_at": at}
    )


def page(incident: Incident) -> str:
    """The incident in Markdown, as Temporal's web UI shows it: where it stands, then the runbook."""
    lines = [
        f"**{incident.state}**, {incident.severity.name}: {incident.assessment.why}",
        f"Met {incident.occurrences} times, first {moment(incident.first_at)}, last {moment(incident.last_at)}.",
    ]
    if incident.resolved_at and incident.resolved_by and incident.resolved_why:
        lines.append(
            f"Resolved {moment(incident.resolved_at)} by {code(incident.resolved_by)}: {code(incident.resolved_why)}"
        )
    lines.append(incident.runbook.markdown if incident.runbook else "The runbook is being composed.")
    return "\n\n".join(lines)
