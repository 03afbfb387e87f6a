"""What a message about an incident says. Pure, so that the workflow may use it."""

from surefoot.contracts.incidents import Incident
from surefoot.contracts.oncall import ChannelName, Notice, Notification
from surefoot.incidents.markdown import clean

SUMMARY = 1_000
"""Characters; channels with less room cut it with a link."""


def notification(
    incident: Incident, channel: ChannelName, notice: Notice, who: str, *, level: int = 0, round: int = 0
) -> Notification:
    """One message, with what the incident knows now; what comes from outside is redacted."""
    plan, report = incident.plan, incident.report
    by, why = _whose(incident, notice)
    return Notification(
        channel=channel,
        notice=notice,
        incident_id=incident.id,
        kind=report.kind,
        severity=incident.severity,
        why=incident.assessment.why,
        subject=report.subject,
        tenant=report.tenant,
        title=plan.title if plan else clean(f"{report.kind} {report.subject}"),
        summary=clean(report.summary, SUMMARY),
        who=who,
        level=level,
        round=round,
        opened_at=incident.opened_at or incident.first_at,
        occurrences=incident.occurrences,
        instructions=plan.instructions if plan else (),
        links=plan.links if plan else (),
        by=by,
        reason=clean(why) if why else None,
    )


def _whose(incident: Incident, notice: Notice) -> tuple[str | None, str | None]:
    """Who acknowledged or resolved it, and why."""
    match notice:
        case Notice.ACKNOWLEDGE:
            return incident.acknowledged_by, incident.acknowledged_why
        case Notice.RESOLVE:
            return incident.resolved_by, incident.resolved_why
        case _:
            return None, None
