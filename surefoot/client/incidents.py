"""Incidents: finding them, reading their runbooks, acting on them, closing them."""

from temporalio.client import WorkflowExecution

from surefoot import attributes
from surefoot.client.base import Connected
from surefoot.client.search import Search
from surefoot.client.views import IncidentView
from surefoot.contracts.incidents import (
    Acknowledgement,
    Incident,
    IncidentKind,
    IncidentState,
    Reassignment,
    Resolution,
    Severity,
    Snooze,
)

INCIDENT_WORKFLOW = "FailureHandlerWorkflow"


class Incidents(Connected):
    """The part of the client that speaks of incidents.

    What is done to one raises ``NotFound`` when there is none or it has ended already, and ``InvalidInput`` when it
    refuses.
    """

    async def incidents(
        self,
        *,
        kind: IncidentKind | None = None,
        state: IncidentState | None = None,
        severity: Severity | None = None,
        subject: str | None = None,
        limit: int = 20,
    ) -> tuple[IncidentView, ...]:
        """The newest incidents with these properties, ``limit`` at most."""
        values = {
            attributes.KIND: kind,
            attributes.STATE: state,
            attributes.SEVERITY: severity.name if severity else None,
            attributes.SUBJECT: attributes.keyword(subject) if subject else None,
        }
        search = Search(INCIDENT_WORKFLOW, values=values)
        return tuple([_view(found) for found in await self._search("the list of incidents", search, limit)])

    async def incident(self, id: str) -> Incident:
        """One incident with its runbook; raises ``NotFound``, or ``Unreachable`` when no worker answers."""
        return await self._ask(f"incident {id!r}", id, "incident", Incident)

    async def acknowledge(self, id: str, act: Acknowledgement) -> Incident:
        """Say that somebody works on it, so that nobody else is called."""
        return await self._tell(f"incident {id!r}", id, "acknowledge", act, Incident)

    async def snooze(self, id: str, act: Snooze) -> Incident:
        """Let nobody be called for a while."""
        return await self._tell(f"incident {id!r}", id, "snooze", act, Incident)

    async def reassign(self, id: str, act: Reassignment) -> Incident:
        """Tell somebody else now, who has to acknowledge."""
        return await self._tell(f"incident {id!r}", id, "reassign", act, Incident)

    async def resolve(self, id: str, resolution: Resolution) -> Incident:
        """End an incident by a human's word."""
        return await self._tell(f"incident {id!r}", id, "resolve", resolution, Incident)


def _view(execution: WorkflowExecution) -> IncidentView:
    found = execution.typed_search_attributes
    return IncidentView(
        id=execution.id,
        kind=found.get(attributes.KIND, ""),
        subject=found.get(attributes.SUBJECT, ""),
        severity=found.get(attributes.SEVERITY, ""),
        state=found.get(attributes.STATE, ""),
        opened_at=execution.start_time,
        ended_at=execution.close_time,
    )
