"""Writes down what is left of an incident when it is over."""

from temporalio import activity

from activities.shelving import kept
from surefoot.contracts.incidents import Incident, PostIncident
from surefoot.crash_points import UNARMED, CrashPoint, CrashPoints
from surefoot.errors import NotFound, Unreachable
from surefoot.incidents.post_incident import PostIncidentWriter
from surefoot.incidents.shelf import Shelf
from surefoot.ports import RunsPort


class PostIncidentActivities:
    """A folder that cannot be written, or a run that cannot be asked, is named in the record and stops nothing."""

    def __init__(self, runs: RunsPort, shelf: Shelf | None = None, crash: CrashPoints = UNARMED) -> None:
        self._runs = runs
        self._shelf = shelf
        self._crash = crash
        self._writer = PostIncidentWriter()

    @activity.defn(name="incidents.close")
    async def close(self, incident: Incident) -> PostIncident:
        """Reckon how long everything took, and write the record, beside the runbook where there is a folder."""
        self._crash.reach(CrashPoint.BEFORE_RECORD)
        written = self._writer.write(incident, await self._spent(incident))
        texts = {"record": written.markdown} | ({"runbook": incident.runbook.markdown} if incident.runbook else {})
        return written.model_copy(update={"problems": await kept(self._shelf, incident.id, texts)})

    async def _spent(self, incident: Incident) -> int | None:
        try:
            return await self._runs.spent(incident.report.run_id)
        except (NotFound, Unreachable):
            return None
