"""What a run takes along when its history is long: the next one goes on where this one ends, between two turns."""

from datetime import datetime, timedelta

from temporalio import workflow

from surefoot.contracts.base import Message
from surefoot.contracts.budgets import Hold
from surefoot.contracts.conversation import size_in_bytes
from surefoot.contracts.profiles import Profile
from surefoot.contracts.runs import RunRequest, Step
from workflows.deeds import Deeds
from workflows.run import Run
from workflows.state import RunState

MOST = 1_500_000
"""Bytes of a conversation that can be taken along; Temporal takes 2 MB in all."""
CONTINUES = "continues_as_new"
"""Names the change for runs that had a long history before they could."""


class Carried(Message):
    """A run between two turns, with no call in flight and nobody asked.

    Incidents, the store's outage and what is unsettled are in the state; open requests there are none, but they are
    numbered on.
    """

    profile: Profile
    state: RunState
    steps: tuple[Step, ...]
    started: datetime
    excluded: timedelta
    """Time that was spent waiting for people."""
    deeds: Deeds
    asked: int
    """Approvals asked for so far."""
    holds: tuple[Hold, ...]
    """Holds of calls that may never have begun."""
    model: str | None = None


class RunInput(RunRequest):
    """Input of ``AgentWorkflow``: what was asked for, and what an earlier history of the same run has left."""

    carried: Carried | None = None


def is_due(run: Run, begun_at: int) -> bool:
    """Whether the run should go on in a new history: Temporal says so, or the profile, and a turn was made in this."""
    info = workflow.info()
    long = info.is_continue_as_new_suggested() or info.get_current_history_length() >= run.profile.limits.max_events
    if not long or run.state.turn == begun_at:
        return False
    return workflow.patched(CONTINUES) and size_in_bytes(run.state.messages) <= MOST
