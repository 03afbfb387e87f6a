"""What a run left behind, read from Temporal."""

import asyncio
from datetime import timedelta

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from surefoot.client.chain import executions
from surefoot.contracts.incidents import Evidence
from surefoot.errors import NotFound, Unreachable
from surefoot.incidents.markdown import span
from surefoot.incidents.timeline import Timeline

HISTORIES = 5
"""Of a run that went on in new ones, the newest are read."""
PATIENCE = timedelta(seconds=15)
"""For the whole of it: the client tries again by itself, and a long history takes many calls."""


class TemporalEvidence:
    """Reads the newest histories of a run, whether it is over or not."""

    def __init__(self, client: Client, patience: timedelta = PATIENCE) -> None:
        self._client = client
        self._patience = patience

    async def of_run(self, run_id: str) -> Evidence:
        """The run's timeline, attempts and errors. Raises ``NotFound`` or ``Unreachable``."""
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                description = await self._client.get_workflow_handle(run_id).describe()
                timeline = await self._read(description)
        except TimeoutError as error:
            raise Unreachable(
                f"Temporal did not give the history of {run_id!r} within {span(self._patience)}"
            ) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise NotFound(f"Temporal has no history of {run_id!r} any more") from error
            raise Unreachable(f"Temporal did not give the history of {run_id!r}: {error.message}") from error
        status = description.status
        return Evidence(
            timeline=timeline.entries,
            run_status=status.name.lower().replace("_", " ") if status else "unknown",
            attempts=timeline.attempts,
            errors=timeline.errors,
            workers=timeline.workers,
        )

    async def _read(self, description: WorkflowExecutionDescription) -> Timeline:
        newest_first = executions(self._client, description.id, description.run_id, HISTORIES)
        timeline = Timeline()
        for handle in reversed([handle async for handle in newest_first]):
            async for event in handle.fetch_history_events():
                timeline.read(event)
        timeline.read_pending(description.raw_description.pending_activities)
        return timeline
