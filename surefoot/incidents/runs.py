"""Runs as an incident asks about them, by Temporal's records and the runs' own words."""

from datetime import datetime, timedelta

from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.runs import RunStatus

PATIENCE = timedelta(seconds=5)


class TemporalRuns:
    """The port ``RunsPort``."""

    def __init__(self, client: Client, *, task_queue: str, patience: timedelta = PATIENCE) -> None:
        self._client = SurefootClient(client, task_queue=task_queue, answer_within=patience)

    async def completed_at(self, run_id: str) -> datetime | None:
        run = await self._client.describe(run_id)
        return run.ended_at if run.status is RunStatus.COMPLETED else None

    async def spent(self, run_id: str) -> int:
        return (await self._client.progress(run_id)).result.usage.cost_nanos
