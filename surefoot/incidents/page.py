"""An incident as Temporal's web UI shows it: where it stands, who was told, then the runbook. Pure."""

from collections.abc import Iterator

from surefoot.contracts.incidents import Incident
from surefoot.contracts.oncall import Delivery, DeliveryState
from surefoot.incidents.markdown import code, moment

SHOWN = 10
"""The newest deeds and deliveries."""
LONGEST_HINT = 2_000


def page(incident: Incident) -> str:
    """The incident in Markdown."""
    paragraphs = [
        f"**{incident.state}**, {incident.severity.name}: {incident.assessment.why}",
        f"Met {incident.occurrences} times, first {moment(incident.first_at)}, last {moment(incident.last_at)}.",
        *_standing(incident),
        "\n".join(_deeds(incident)),
        "\n".join(map(_message, incident.deliveries[-SHOWN:])),
        _hint(incident),
        incident.runbook.markdown if incident.runbook else "The runbook is being composed.",
    ]
    return "\n\n".join(filter(None, paragraphs))


def _standing(incident: Incident) -> Iterator[str]:
    if incident.acknowledged_at and incident.acknowledged_by and incident.acknowledged_why:
        who, why = code(incident.acknowledged_by), code(incident.acknowledged_why)
        yield f"Acknowledged {moment(incident.acknowledged_at)} by {who}: {why}"
    if incident.route:
        model, other = code(incident.route.model), code(incident.route.to)
        yield f"Runs that ask for {model} use {other}, where their profile names it, until {model} answers again."
    if incident.assignee:
        yield f"Assigned to {code(incident.assignee)}"
    if incident.snoozed_until:
        yield f"Snoozed until {moment(incident.snoozed_until)}"
    if incident.resolved_at and incident.resolved_by and incident.resolved_why:
        who, why = code(incident.resolved_by), code(incident.resolved_why)
        yield f"Resolved {moment(incident.resolved_at)} by {who}: {why}"


def _hint(incident: Incident) -> str:
    hint = incident.enrichment
    if hint is None:
        return ""
    whose = f"**A hint of the model {code(hint.model)}, which may be wrong:**"
    return f"{whose} {code(hint.summary, LONGEST_HINT)}\n\nProbable cause: {code(hint.probable_cause, LONGEST_HINT)}"


def _deeds(incident: Incident) -> Iterator[str]:
    for deed in incident.deeds[-SHOWN:]:
        why = f": {code(deed.why)}" if deed.why else ""
        yield f"- {moment(deed.at)}, {code(deed.by)} {code(deed.what)}{why}"


def _message(delivery: Delivery) -> str:
    what = f"{delivery.notice} by {delivery.channel} for {code(delivery.who)}"
    failed = f": {code(delivery.problem)}" if delivery.state is DeliveryState.FAILED else ""
    return f"- {moment(delivery.at)}, {what}, {delivery.state}{failed}"
