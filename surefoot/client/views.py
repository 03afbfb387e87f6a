"""What the client tells of runs, approvals and incidents."""

from datetime import datetime

from surefoot.contracts.approvals import ApprovalRequest
from surefoot.contracts.base import Message
from surefoot.contracts.runs import IdempotencyStatus, RunResult, RunStatus


class Started(Message):
    """What became of a start: a run of its own, one that was under way, or one whose result was there."""

    run: str
    """The workflow id."""
    idempotency_status: IdempotencyStatus
    result: RunResult | None = None
    """Of an earlier run that has completed."""


class Retried(Message):
    """Who had a run started again, and why."""

    by: str
    reason: str


class Retry(Message):
    """Something that a run does once more, since it failed."""

    activity: str
    attempt: int
    """The one that is under way, or comes next."""
    next_at: datetime | None = None
    """None while it is under way."""
    error: str


class RunView(Message):
    """A run as Temporal's own records tell it; no worker is asked."""

    run: str
    status: RunStatus
    waiting: str | None = None
    """What the run says it waits for, such as ``approval``."""
    profile: str = ""
    session: str = ""
    tenant: str = ""
    started_at: datetime
    ended_at: datetime | None = None
    retried: Retried | None = None
    """If somebody had it started again. Of one run that was asked for by name; lists leave it out."""
    retrying: tuple[Retry, ...] = ()
    """Of one run that was asked for by name; lists leave it out."""


class PendingApproval(Message):
    """A tool call of a run that waits for a human."""

    run: str
    request: ApprovalRequest


class OpenApprovals(Message):
    """Every approval that is open, and the runs that wait for one and could not be asked which."""

    approvals: tuple[PendingApproval, ...] = ()
    silent: tuple[str, ...] = ()


class IncidentView(Message):
    """An incident as Temporal's own records tell it."""

    id: str
    kind: str = ""
    subject: str = ""
    severity: str = ""
    state: str = ""
    opened_at: datetime
    ended_at: datetime | None = None
