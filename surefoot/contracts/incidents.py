"""Incidents: what opens one, what it knows, and what it hands to people."""

from datetime import datetime
from enum import IntEnum, StrEnum

from pydantic import Field

from surefoot.contracts.base import JsonObject, Message


class IncidentKind(StrEnum):
    BREAKER_OPEN = "breaker_open"
    BUDGET_SOFT = "budget_soft"
    BUDGET_HARD = "budget_hard"
    TOOL_FAILED = "tool_failed"
    OUTCOME_UNKNOWN = "outcome_unknown"
    RUN_FAILED = "run_failed"
    MODEL_OUTAGE = "model_outage"
    STORE_WIPED = "store_wiped"
    APPROVAL_EXPIRED = "approval_expired"


class Severity(IntEnum):
    SEV1 = 1
    SEV2 = 2
    SEV3 = 3
    SEV4 = 4
    SEV5 = 5


class IncidentState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class IncidentReport(Message):
    """A failure worth telling: input of ``FailureHandlerWorkflow`` and of its signal ``occurred``."""

    kind: IncidentKind
    tenant: str
    subject: str
    """What failed: a tool, a model, a budget's scope, a run."""
    episode: str
    """Names the failure among others of the same subject; part of the incident's id."""
    run_id: str
    """Workflow id of the run that met it."""
    summary: str
    """One sentence with the numbers."""
    facts: JsonObject = {}
    at: datetime
    carried: "Incident | None" = None
    """What the incident knew when it continued as new; nobody else sets it."""


class Recovery(Message):
    """Input of the signal ``recovered``."""

    run_id: str
    summary: str
    at: datetime


class Resolution(Message):
    """Input of the update ``resolve``: who ends the incident, and why."""

    by: str = Field(min_length=1, max_length=255)
    reason: str = Field(min_length=1, max_length=10_000)


class TimelineEntry(Message):
    at: datetime
    what: str


class Evidence(Message):
    """What was known of the failing run and its guards when the incident opened."""

    timeline: tuple[TimelineEntry, ...] = ()
    run_status: str = ""
    attempts: int = 0
    errors: tuple[str, ...] = ()
    guards: JsonObject = {}
    gaps: tuple[str, ...] = ()
    """What could not be learnt, and why."""


class Assessment(Message):
    """A severity, and the rule of the table that gave it."""

    severity: Severity
    rule: str
    why: str


class ComposeRequest(Message):
    """Input of ``incidents.compose``."""

    incident_id: str
    report: IncidentReport


class Runbook(Message):
    """Output of ``incidents.compose``."""

    assessment: Assessment
    evidence: Evidence
    markdown: str


class Incident(Message):
    """What an incident says when it is asked; also the result of a closed one."""

    id: str
    report: IncidentReport
    state: IncidentState = IncidentState.OPEN
    occurrences: int = 1
    assessment: Assessment
    first_at: datetime
    last_at: datetime
    runs: tuple[str, ...] = ()
    """A sample of the runs that met it, twenty at most."""
    runbook: Runbook | None = None
    """None until it is composed."""
    resolved_by: str | None = None
    resolved_why: str | None = None
    resolved_at: datetime | None = None

    @property
    def severity(self) -> Severity:
        return self.assessment.severity


IncidentReport.model_rebuild()
