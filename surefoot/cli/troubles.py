"""Incidents: listing them, showing one with its runbook, and what was done about it."""

from datetime import datetime

from rich.console import RenderableType
from rich.markdown import Markdown

from surefoot.cli.output import Answer, console, remark, table, words
from surefoot.cli.plain import count, one_line, plain, public, when
from surefoot.client import SurefootClient
from surefoot.contracts.incidents import Incident, IncidentKind, IncidentState, Severity
from surefoot.contracts.oncall import Delivery, DeliveryState
from surefoot.errors import InvalidInput, NotFound


async def listed(
    client: SurefootClient, state: str | None, kind: str | None, severity: str | None, subject: str | None, limit: int
) -> Answer:
    found = await client.incidents(
        kind=_kind(kind),
        state=IncidentState(state) if state else None,
        severity=Severity[severity] if severity else None,
        subject=subject,
        limit=limit,
    )
    rows = [(one.id, one.severity, one.state, one.kind, one.subject, when(one.opened_at)) for one in found]
    headings = ("Incident", "Severity", "State", "Kind", "Subject", "Opened")
    return Answer({"incidents": public(found)}, [table(headings, rows, empty="no such incidents")])


def _kind(name: str | None) -> IncidentKind | None:
    try:
        return IncidentKind(name) if name else None
    except ValueError:
        raise InvalidInput(f"no kind of incident is called {name!r}; known are {', '.join(IncidentKind)}") from None


async def show(client: SurefootClient, id: str) -> Answer:
    incident = await client.incident(id)
    told = [words(line) for line in (*_standing(incident), *map(_message, incident.deliveries))]
    return Answer(public(incident), [words(_headline(incident)), *told, *_runbook(incident)])


def _headline(incident: Incident) -> str:
    ended = f" by {incident.resolved_by}: {incident.resolved_why}" if incident.resolved_by else ""
    return (
        f"{incident.severity.name} {incident.state}{ended}, "
        f"{count(incident.occurrences, 'occurrence')} from {when(incident.first_at)} to {when(incident.last_at)}"
    )


def _standing(incident: Incident) -> list[str]:
    facts = {
        "Acknowledged by": f"{incident.acknowledged_by}: {incident.acknowledged_why}"
        if incident.acknowledged_by
        else "",
        "Assigned to": incident.assignee or "",
        "Snoozed until": when(incident.snoozed_until),
        "Runs are led to": incident.route.to if incident.route else "",
        "A model's hint, which may be wrong:": incident.enrichment.summary if incident.enrichment else "",
        "Its probable cause, which may be wrong:": incident.enrichment.probable_cause if incident.enrichment else "",
    }
    return [f"{name} {one_line(value)}" for name, value in facts.items() if value]


def _message(delivery: Delivery) -> str:
    failed = f": {delivery.problem}" if delivery.state is DeliveryState.FAILED else ""
    what = f"{delivery.notice} by {delivery.channel} for {delivery.who}, {delivery.state}{failed}"
    return f"{when(delivery.at)}  {one_line(what)}"


def _runbook(incident: Incident) -> list[RenderableType]:
    """Rendered on a terminal; as it is where a program reads it."""
    if incident.runbook is None:
        return [words(incident.report.summary), remark("The runbook is being written; look again in a moment.")]
    text = plain(incident.runbook.markdown)
    return [Markdown(text, hyperlinks=False) if console().is_terminal else words(text)]


async def runbook(client: SurefootClient, id: str, *, html: bool) -> Answer:
    """Raises ``NotFound`` while it is not written."""
    incident = await client.incident(id)
    if incident.runbook is None:
        raise NotFound(f"incident {id!r} has no runbook yet; look again in a moment")
    text = incident.runbook.markdown
    if html:
        from surefoot.incidents.html import rendered

        text = rendered(text)
    return Answer(text, [words(text)])


async def timeline(client: SurefootClient, id: str) -> Answer:
    """What the run did, and what was done and told about it, in order of time."""
    incident = await client.incident(id)
    entries = sorted(_entries(incident), key=lambda entry: entry[0])
    document = {"incident": id, "timeline": [{"at": at.isoformat(), "what": what} for at, what in entries]}
    told = [words(f"{when(at)}  {one_line(what)}") for at, what in entries]
    return Answer(public(document), told or [remark("nothing is known yet")])


def _entries(incident: Incident) -> list[tuple[datetime, str]]:
    seen = incident.runbook.evidence.timeline if incident.runbook else ()
    deeds = [(deed.at, f"{deed.by} {deed.what}" + (f": {deed.why}" if deed.why else "")) for deed in incident.deeds]
    told = [
        (one.at, f"{one.notice} by {one.channel} for {one.who}: {one.problem or one.state}")
        for one in incident.deliveries
    ]
    opened = [(incident.opened_at, "the incident opened")] if incident.opened_at else []
    return [*((entry.at, entry.what) for entry in seen), *opened, *deeds, *told]
