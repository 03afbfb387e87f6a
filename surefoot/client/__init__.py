"""The façade that every face of Surefoot uses: the command line, and programs of one's own."""

from typing import Self

from surefoot.client.approvals import Approvals
from surefoot.client.connection import connect
from surefoot.client.incidents import Incidents
from surefoot.client.views import IncidentView, OpenApprovals, PendingApproval, RunView, Started
from surefoot.settings import Settings

__all__ = ["IncidentView", "OpenApprovals", "PendingApproval", "RunView", "Started", "SurefootClient", "connect"]


class SurefootClient(Approvals, Incidents):
    """Starts runs, waits for them, decides approvals and reads incidents. Raises ``surefoot.errors`` only."""

    @classmethod
    async def connect(cls, settings: Settings) -> Self:
        """Connect as the settings say; raises ``Unreachable`` within a few seconds."""
        return cls(await connect(settings), task_queue=settings.task_queue)
