"""Decides how bad an incident is and who is told of it."""

from temporalio import activity

from surefoot.contracts.incidents import ComposeRequest, Plan
from surefoot.ports import TriagePort


class TriageActivities:
    """Asks nobody, so that the page follows at once."""

    def __init__(self, triage: TriagePort) -> None:
        self._triage = triage

    @activity.defn(name="incidents.triage")
    async def triage(self, request: ComposeRequest) -> Plan:
        """Set the severity, choose the levels, and gather what the first page says."""
        return self._triage.plan(request)
