"""What a run takes along when its history is long: the next one goes on where this one ends."""

from datetime import datetime, timedelta

from temporalio import workflow

from surefoot.contracts.base import Message
from surefoot.contracts.budgets import Hold
from surefoot.contracts.conversation import size_in_bytes
from surefoot.contracts.profiles import Profile
from surefoot.contracts.runs import RunRequest, Step
from workflows.deeds import Deeds
from workflows.run import Run
from workflows.state import RunState, Stopwatch
from workflows.turns import OpenTurn

MOST = 1_500_000
"""Bytes of a conversation that can be taken along."""
MOST_IN_ALL = 2_000_000
"""Bytes of all that can be taken along: Temporal takes 2 MiB, and a run that tried with more could not go on."""
CONTINUES = "continues_as_new"
"""Names the change for runs that had a long history before they could."""
CONTINUES_WAITING = "continues_as_new_waiting"
"""Names the change for runs that waited for people with a long history before they could."""


class Carried(Message):
    """A run with no call in flight: between two turns, or in one of which all that is open waits for people.

    Incidents, the store's outage and what is unsettled are in the state.
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
    turn: OpenTurn | None = None
    """The turn in progress, if there is one."""

    @property
    def clock(self) -> Stopwatch:
        """The run's own, going on or standing still as it did."""
        if self.turn is None:
            return Stopwatch(self.started, self.excluded)
        waits = len(self.turn.asked)
        return Stopwatch(self.started, self.excluded, waits=waits, waiting_since=self.turn.waiting_since)


class RunInput(RunRequest):
    """Input of ``AgentWorkflow``: what was asked for, and what an earlier history of the same run has left."""

    carried: Carried | None = None


def is_long(run: Run) -> bool:
    """Whether a history is as long as it should be: Temporal says so, or the profile."""
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.get_current_history_length() >= run.profile.limits.max_events


def fits(taken: RunInput) -> bool:
    """Whether all of it can be taken along."""
    if taken.carried is None:
        return True
    state, turn = taken.carried.state, taken.carried.turn
    said = size_in_bytes(state.messages) + (_size(turn) if turn else 0)
    return said <= MOST and _size(taken) <= MOST_IN_ALL


def _size(message: Message) -> int:
    return len(message.model_dump_json().encode())
