"""Reports of every kind, with the facts that runs send, and evidence to go with them."""

from datetime import UTC, datetime

from surefoot.contracts.base import JsonObject
from surefoot.contracts.incidents import Evidence, IncidentKind, IncidentReport, TimelineEntry

AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)

_BOOKS: JsonObject = {"settled": 410_000_000, "held": 20_000_000, "limit": 500_000_000, "soft_line": 400_000_000}

SUBJECTS: dict[IncidentKind, str] = {
    IncidentKind.BREAKER_OPEN: "create_order",
    IncidentKind.BUDGET_SOFT: "session:s1",
    IncidentKind.BUDGET_HARD: "session:s1",
    IncidentKind.TOOL_FAILED: "create_order",
    IncidentKind.OUTCOME_UNKNOWN: "issue_refund",
    IncidentKind.RUN_FAILED: "run:default:k1",
    IncidentKind.MODEL_OUTAGE: "gemini:gemini-2.5-pro",
    IncidentKind.STORE_WIPED: "redis",
    IncidentKind.APPROVAL_EXPIRED: "publish_summary",
    IncidentKind.PRICE_DRIFT: "mistral:mistral-small-2506",
    IncidentKind.STORE_OUTAGE: "redis",
}

FACTS: dict[IncidentKind, JsonObject] = {
    IncidentKind.BREAKER_OPEN: {"breaker": "create_order", "reason": "5 failures in 30 s"},
    IncidentKind.BUDGET_SOFT: _BOOKS,
    IncidentKind.BUDGET_HARD: {**_BOOKS, "settled": 500_000_000},
    IncidentKind.TOOL_FAILED: {
        "tool": "create_order",
        "attempts": 4,
        "error": "503 from the shop",
        "arguments": {"product": "lamp", "quantity": 2},
    },
    IncidentKind.OUTCOME_UNKNOWN: {
        "tool": "issue_refund",
        "effect": "verifiable",
        "effect_key": "ab12" * 16,
        "arguments": {"order": "o-1"},
    },
    IncidentKind.RUN_FAILED: {"error": "NoProgress", "turns": 3, "cost_nanos": 20_000_000},
    IncidentKind.MODEL_OUTAGE: {"model": "gemini:gemini-2.5-pro", "error": "503 overloaded", "attempts": 4},
    IncidentKind.STORE_WIPED: {"before": "epoch-1", "after": "epoch-2"},
    IncidentKind.APPROVAL_EXPIRED: {"tool": "publish_summary", "request": "0123abcd", "arguments": {"topic": "bees"}},
    IncidentKind.PRICE_DRIFT: {
        "model": "mistral:mistral-small-2506",
        "model_version": "mistral-large-2512",
        "bound": 600_000,
        "cost": 1_800_000,
    },
    IncidentKind.STORE_OUTAGE: {"phase": "checking guardrails"},
}


def report(kind: IncidentKind, *, subject: str = "", facts: JsonObject | None = None, **given: str) -> IncidentReport:
    """A report of this kind, with its usual facts unless others are given."""
    return IncidentReport(
        kind=kind,
        tenant=given.get("tenant", "acme"),
        subject=subject or SUBJECTS[kind],
        episode=given.get("episode", "e1"),
        run_id=given.get("run_id", "run:acme:k1"),
        summary=given.get("summary", "Something failed in a way worth telling."),
        facts=FACTS[kind] if facts is None else facts,
        at=AT,
    )


EVIDENCE = Evidence(
    timeline=(
        TimelineEntry(at=AT, what="run started"),
        TimelineEntry(at=AT, what="tool.create_order failed: ToolFailed: 503"),
    ),
    run_status="running",
    attempts=4,
    errors=("ToolFailed: 503",),
    guards={"breaker create_order": {"state": "open", "open_until": None}},
)
