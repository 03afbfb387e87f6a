"""The façade that every face of Surefoot uses: the command line, and programs of one's own."""

from datetime import timedelta
from typing import Self

from temporalio.runtime import Runtime

from surefoot.client.again import Again
from surefoot.client.approvals import Approvals
from surefoot.client.base import ANSWER_WITHIN
from surefoot.client.connection import connect
from surefoot.client.incidents import Incidents
from surefoot.client.spending import RunSpending, Spending
from surefoot.client.views import IncidentView, OpenApprovals, PendingApproval, Retried, Retry, RunView, Started
from surefoot.settings import Settings

__all__ = [
    "IncidentView",
    "OpenApprovals",
    "PendingApproval",
    "Retried",
    "Retry",
    "RunSpending",
    "RunView",
    "Started",
    "SurefootClient",
    "connect",
]


class SurefootClient(Again, Approvals, Incidents, Spending):
    """Starts runs, waits for them, runs them again, adds up what they cost, decides approvals and reads incidents.

    Raises ``surefoot.errors`` only.
    """

    @classmethod
    async def connect(
        cls, settings: Settings, *, answer_within: timedelta = ANSWER_WITHIN, runtime: Runtime | None = None
    ) -> Self:
        """Connect as the settings say; raises ``Unreachable`` within a few seconds.

        A worker that has not answered a question within ``answer_within`` is taken for none.
        """
        connected = await connect(settings, runtime=runtime)
        return cls(connected, task_queue=settings.task_queue, answer_within=answer_within)
