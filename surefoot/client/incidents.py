"""Incidents: finding them, reading their runbooks, closing them."""

from temporalio.client import WorkflowExecution

from surefoot import attributes
from surefoot.client.base import Connected
from surefoot.client.search import Search
from surefoot.client.views import IncidentView
from surefoot.contracts.incidents import Incident, IncidentKind, IncidentState, Resolution

INCIDENT_WORKFLOW = "FailureHandlerWorkflow"


class Incidents(Connected):
    """The part of the client that speaks of incidents."""

    async def incidents(
        self, *, kind: IncidentKind | None = None, state: IncidentState | None = None, limit: int = 20
    ) -> tuple[IncidentView, ...]:
        """The newest incidents with these properties, ``limit`` at most."""
        search = Search(INCIDENT_WORKFLOW, values={attributes.KIND: kind, attributes.STATE: state})
        return tuple([_view(found) for found in await self._search("the list of incidents", search, limit)])

    async def incident(self, id: str) -> Incident:
        """One incident with its runbook; raises ``NotFound``, or ``Unreachable`` when no worker answers."""
        return await self._ask(f"incident {id!r}", id, "incident", Incident)

    async def resolve(self, id: str, resolution: Resolution) -> Incident:
        """End an incident by a human's word; raises ``NotFound`` when it has ended already."""
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
