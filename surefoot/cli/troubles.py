"""Incidents: listing them, showing a runbook, ending one."""

from rich.console import RenderableType
from rich.markdown import Markdown

from surefoot.cli.output import Answer, console, remark, table, words
from surefoot.cli.plain import count, plain, public, when
from surefoot.client import SurefootClient
from surefoot.contracts.incidents import Incident, IncidentKind, IncidentState, Resolution
from surefoot.errors import InvalidInput


async def listed(client: SurefootClient, state: str | None, kind: str | None, limit: int) -> Answer:
    wanted = IncidentState(state) if state else None
    found = await client.incidents(kind=_kind(kind), state=wanted, limit=limit)
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
    return Answer(public(incident), [words(_headline(incident)), *_runbook(incident)])


def _headline(incident: Incident) -> str:
    ended = f" by {incident.resolved_by}: {incident.resolved_why}" if incident.resolved_by else ""
    return (
        f"{incident.severity.name} {incident.state}{ended}, "
        f"{count(incident.occurrences, 'occurrence')} from {when(incident.first_at)} to {when(incident.last_at)}"
    )


def _runbook(incident: Incident) -> list[RenderableType]:
    """Rendered on a terminal; as it is where a program reads it."""
    if incident.runbook is None:
        return [words(incident.report.summary), remark("The runbook is being written; look again in a moment.")]
    text = plain(incident.runbook.markdown)
    return [Markdown(text, hyperlinks=False) if console().is_terminal else words(text)]


async def resolve(client: SurefootClient, id: str, by: str, reason: str) -> Answer:
    incident = await client.resolve(id, Resolution(by=by, reason=reason))
    return Answer(public(incident), [words(f"resolved {incident.id}, by {incident.resolved_by}")])
