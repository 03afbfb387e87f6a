"""Runbooks of every kind as files, to be read by people: ``python -m tests.incidents.golden`` writes them anew."""

from pathlib import Path

from surefoot.contracts.base import JsonObject
from surefoot.contracts.incidents import ComposeRequest, Evidence, IncidentKind, IncidentReport, Severity, TimelineEntry
from surefoot.contracts.oncall import Escalation, Level, Link
from surefoot.idempotency import incident_id
from surefoot.incidents.runbook import RunbookWriter
from surefoot.incidents.severity import assess
from surefoot.incidents.surroundings import Surroundings
from tests.incidents.reports import AT, report

FOLDER = Path(__file__).parent / "goldens"
UI = "http://127.0.0.1:8233/namespaces/default/workflows"

SUMMARIES: dict[IncidentKind, str] = {
    IncidentKind.BREAKER_OPEN: "The circuit of create_order is open: 5 failures in 30 s.",
    IncidentKind.BUDGET_SOFT: "Spending of session s1 stands at $0.41, at its soft line of $0.40.",
    IncidentKind.BUDGET_HARD: "Spending of session s1 stands at $0.50, at its cap of $0.50.",
    IncidentKind.TOOL_FAILED: "create_order failed after 4 attempts: 503 from the shop.",
    IncidentKind.OUTCOME_UNKNOWN: "It is not known whether issue_refund happened: the connection was lost.",
    IncidentKind.RUN_FAILED: "The run failed: the same call with the same arguments was asked for 3 times.",
    IncidentKind.MODEL_OUTAGE: "All attempts to call gemini:gemini-2.5-pro failed: 503 overloaded",
    IncidentKind.STORE_WIPED: "Redis has lost what it held: it was wiped, or a replica without the newest writes "
    "took over.",
    IncidentKind.APPROVAL_EXPIRED: "Nobody decided within 24:00:00 about publish_summary.",
    IncidentKind.PRICE_DRIFT: "A call of mistral:mistral-small-2506 cost $0.0018, which is more than its bound.",
    IncidentKind.STORE_OUTAGE: "Redis does not answer: checking guardrails waits for it.",
}
EVIDENCE = Evidence(
    timeline=(
        TimelineEntry(at=AT, what="run started"),
        TimelineEntry(at=AT, what="guardrails.check done"),
        TimelineEntry(at=AT, what="llm.generate (turn 1: gemini:gemini-2.5-pro) done"),
        TimelineEntry(at=AT, what="tool.create_order (create_order {\"product\":\"lamp\"}) began attempt 2, after "
                      "ToolRetryable: 503 from the shop"),
    ),
    run_status="running",
    attempts=4,
    errors=("ToolRetryable: 503 from the shop", "ToolFailed: 503 from the shop"),
    guards={"breaker create_order": {"state": "open", "recent_failures": 5}},
    workers=("1234@worker-1, build 4f2a",),
)  # fmt: skip
SURROUNDINGS = Surroundings(
    {
        "create_order": ("operations", "support"),
        "issue_refund": ("support",),
        "publish_summary": ("research",),
        "gemini:gemini-2.5-pro": ("operations", "research", "support"),
    }
)


def escalation(severity: Severity) -> Escalation | None:
    """A policy in which the least severity names no one."""
    if severity is Severity.SEV5:
        return None
    first = Level(who="first responder", channels=("pagerduty", "slack"))
    lead = Level.model_validate({"after": "15m", "who": "on-call lead", "channels": ["pagerduty"]})
    return Escalation(levels=(first, lead), repeats=2)


def told(kind: IncidentKind) -> IncidentReport:
    """A report as a run sends it."""
    facts: JsonObject = dict(report(kind).facts)
    if kind in (IncidentKind.BUDGET_SOFT, IncidentKind.BUDGET_HARD):
        facts["profile"] = "operations"
    return report(kind, summary=SUMMARIES[kind], facts=facts)


def written(kind: IncidentKind) -> str:
    """The runbook of a usual incident of this kind."""
    one = told(kind)
    id = incident_id(one)
    request = ComposeRequest(
        incident_id=id,
        report=one,
        escalation=escalation(assess(one).severity),
        links=(Link(text="The incident", url=f"{UI}/{id}"), Link(text="The run", url=f"{UI}/{one.run_id}")),
    )
    return RunbookWriter(surroundings=SURROUNDINGS).write(request, EVIDENCE).markdown


def golden(kind: IncidentKind) -> Path:
    return FOLDER / f"{kind}.md"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in IncidentKind:
        golden(each).write_text(written(each), encoding="utf-8")
