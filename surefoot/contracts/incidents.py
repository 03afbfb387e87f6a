"""Incidents: what opens one, what it knows, and what it hands to people."""

from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from pydantic import Field

from surefoot.contracts.base import Duration, JsonObject, Message
from surefoot.contracts.oncall import Delivery, Escalation, Instruction, Link
from surefoot.contracts.routing import Route


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
    PRICE_DRIFT = "price_drift"
    STORE_OUTAGE = "store_outage"


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


class Acknowledgement(Message):
    """Input of the update ``acknowledge``: somebody works on it, so nobody else is called."""

    by: str = Field(min_length=1, max_length=255)
    reason: str = Field(min_length=1, max_length=10_000)


class Snooze(Message):
    """Input of the update ``snooze``: nobody is called for a while."""

    by: str = Field(min_length=1, max_length=255)
    reason: str = Field(min_length=1, max_length=10_000)
    length: Duration = Field(gt=timedelta(0), le=timedelta(days=7))


class Reassignment(Message):
    """Input of the update ``reassign``: somebody else is told now, and has to acknowledge."""

    by: str = Field(min_length=1, max_length=255)
    reason: str = Field(min_length=1, max_length=10_000)
    to: str = Field(min_length=1, max_length=255)


class Deed(Message):
    """Something that was done about an incident, by a person or by itself."""

    at: datetime
    by: str
    what: str
    why: str = ""


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
    workers: tuple[str, ...] = ()
    """Workers that served the run, with their builds, the newest last."""
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
    escalation: Escalation | None = None
    """Who is told when; the runbook names no one where it is not given."""
    links: tuple[Link, ...] = ()
    """Pages about the incident and the run that met it first."""
    assessment: Assessment | None = None
    """By the on-call policy; the built-in table holds where it is not given."""


class WatchRequest(Message):
    """Input of ``incidents.watch``."""

    incident_id: str
    report: IncidentReport


class Completeness(Message):
    """How complete a runbook is, between 0 and 1, and what lint found."""

    score: float = Field(ge=0, le=1)
    problems: tuple[str, ...] = ()


class Runbook(Message):
    """Output of ``incidents.compose``."""

    assessment: Assessment
    evidence: Evidence
    markdown: str
    completeness: Completeness | None = None
    problems: tuple[str, ...] = ()
    """Why it could not be kept in a file, where it should have been."""


class Plan(Message):
    """Output of ``incidents.triage``: how bad it is, who is told when, and what they are told to do first."""

    assessment: Assessment
    escalation: Escalation
    title: str
    instructions: tuple[Instruction, ...] = ()
    links: tuple[Link, ...] = ()
    watch_every: Duration = timedelta(minutes=5)
    """How often an open incident looks by itself whether what failed works again."""
    stale_after: Duration = timedelta(days=7)
    """An incident that nothing was heard of for so long closes by itself."""
    enrich: bool = False
    """Whether a model is asked for a summary."""


class Enrichment(Message):
    """What a model makes of the evidence. Never more than a hint, and shown as such."""

    model: str
    summary: str = Field(max_length=2_000)
    probable_cause: str = Field(max_length=2_000)


class PostIncident(Message):
    """The record of an incident that is over. Durations are None where it never came to that."""

    opened_after: timedelta
    """From the first failure that is known to the opening of the incident."""
    paged_after: timedelta | None = None
    """From the opening to the first message that was delivered."""
    acknowledged_after: timedelta | None = None
    resolved_after: timedelta
    """From the opening to the resolution."""
    occurrences: int
    runs: int
    """Distinct runs that met it, counted up to the sample."""
    spent_nanos: int | None = None
    """What the first run had spent by then, in nano-dollars."""
    markdown: str = ""
    problems: tuple[str, ...] = ()
    """What could not be written down, and why."""


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
    plan: Plan | None = None
    """None until it is triaged."""
    opened_at: datetime | None = None
    """None in incidents of before there was an escalation."""
    heard_at: datetime | None = None
    """When a run or a person last said something of it."""
    levels_from: datetime | None = None
    """When the first round of the levels began, as if each level had been told on time: a snooze moves it."""
    told: int = 0
    """Levels that have been told, rounds included; one that is to be told again counts as not told."""
    recalled: bool = False
    """The level that comes next is told for the assignee, or once more after a snooze."""
    acknowledged_by: str | None = None
    acknowledged_why: str | None = None
    acknowledged_at: datetime | None = None
    assignee: str | None = None
    snoozed_until: datetime | None = None
    deliveries: tuple[Delivery, ...] = ()
    """The newest, a hundred at most."""
    deeds: tuple[Deed, ...] = ()
    """What was done about it, the newest hundred."""
    enrichment: Enrichment | None = None
    route: Route | None = None
    """The way around a model that is out, while this incident leads runs there."""
    post_incident: PostIncident | None = None
    resolved_by: str | None = None
    resolved_why: str | None = None
    resolved_at: datetime | None = None

    @property
    def severity(self) -> Severity:
        return self.assessment.severity


IncidentReport.model_rebuild()
