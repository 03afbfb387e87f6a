"""What the parts of one incident's life share: what it knows, and Temporal's view of it."""

from temporalio import workflow

from surefoot import attributes
from surefoot.contracts.incidents import Incident, IncidentState
from surefoot.incidents.page import page


class Case:
    """One incident in progress. Only the workflow that owns it changes it."""

    def __init__(self, incident: Incident) -> None:
        self.incident = incident

    @property
    def resolved(self) -> bool:
        return self.incident.state is IncidentState.RESOLVED

    def become(self, incident: Incident) -> None:
        self.incident = incident
        self.show()

    def show(self) -> None:
        """Keep Temporal's list and page of this incident true, with a command only where something changed."""
        known = workflow.info().typed_search_attributes
        updates = [
            key.value_set(value)
            for key, value in attributes.of_incident(self.incident).items()
            if known.get(key) != value
        ]
        if updates:
            workflow.upsert_search_attributes(updates)
        workflow.set_current_details(page(self.incident))
