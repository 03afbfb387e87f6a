"""A runbook is composed whatever can be learnt: what cannot is named in it."""

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.incidents import IncidentActivities
from surefoot.contracts.incidents import ComposeRequest, Evidence, IncidentKind, IncidentReport, Runbook
from surefoot.errors import Unreachable
from surefoot.incidents.evidence import TemporalEvidence
from surefoot.ports import EvidencePort, GuardOffice
from tests.incidents.office import ClosedOffice, PlainOffice
from tests.incidents.reports import EVIDENCE, report

K = IncidentKind


class KnownRun:
    async def of_run(self, run_id: str) -> Evidence:
        return EVIDENCE


class AwayTemporal:
    async def of_run(self, run_id: str) -> Evidence:
        raise Unreachable(f"Temporal did not give the history of {run_id!r}: bob@example.com hung up")


async def compose(
    report: IncidentReport, evidence: EvidencePort | None = None, office: GuardOffice | None = None
) -> Runbook:
    incidents = IncidentActivities(evidence or KnownRun(), office or PlainOffice())
    request = ComposeRequest(incident_id="incident-1", report=report)
    return await ActivityEnvironment().run(incidents.compose, request)


async def test_the_runbook_shows_the_breakers_that_are_not_closed() -> None:
    runbook = await compose(report(K.TOOL_FAILED, subject="send_email"))
    assert "breaker create_order" in runbook.evidence.guards
    assert "lookup_order" not in runbook.markdown
    assert "5 failures in 30 s" in runbook.markdown


@pytest.mark.parametrize(
    ("window", "books"),
    [
        ("forever", ["forever"]),
        ("2026-11-21", ["day"]),
        ("2026-11-01", ["day", "month"]),  # its first day names either
    ],
)
async def test_the_runbook_of_a_budget_shows_the_books_of_the_window_that_was_crossed(
    window: str, books: list[str]
) -> None:
    runbook = await compose(report(K.BUDGET_SOFT, episode=f"epoch-1:{window}:soft:2"))
    assert [f"budget session:s1, {one}" for one in books] == [
        name for name in runbook.evidence.guards if name.startswith("budget")
    ]


@pytest.mark.parametrize("kind", [K.BUDGET_SOFT, K.BUDGET_HARD])
async def test_the_runbook_of_a_budget_shows_its_books(kind: IncidentKind) -> None:
    runbook = await compose(report(kind, episode="epoch-1:forever:hard"))
    assert runbook.evidence.guards["budget session:s1, forever"] == {
        "kind": "session",
        "subject": "s1",
        "limit": 500_000_000,
        "soft_line": 0,
        "settled": 499_999_999,
        "held": 0,
        "unknown": 0,
        "window": "forever",
        "resets_at": None,
        "round": 0,
    }


async def test_the_runbook_of_an_unknown_outcome_shows_the_claim_without_personal_data() -> None:
    runbook = await compose(report(K.OUTCOME_UNKNOWN))
    assert runbook.evidence.guards["claim"] == {"state": "unknown", "content": "refunded to [mail address]"}


@pytest.mark.parametrize("kind", IncidentKind)
async def test_with_redis_away_the_runbook_says_so(kind: IncidentKind) -> None:
    runbook = await compose(report(kind, episode="epoch-1:forever:hard"), office=ClosedOffice())
    assert "breakers, budgets and ledger: Redis at 127.0.0.1:1 did not answer" in runbook.markdown
    assert runbook.evidence.timeline == EVIDENCE.timeline


async def test_with_the_history_gone_the_runbook_says_so(temporal_client: Client) -> None:
    runbook = await compose(report(K.RUN_FAILED, run_id="run:acme:gone"), TemporalEvidence(temporal_client))
    assert "Temporal has no history of 'run:acme:gone' any more" in runbook.markdown
    assert "breaker create_order" in runbook.evidence.guards


async def test_with_temporal_silent_the_runbook_says_so_without_secrets() -> None:
    runbook = await compose(report(K.RUN_FAILED), AwayTemporal(), ClosedOffice())
    assert "Temporal did not give the history of 'run:acme:k1': [mail address] hung up" in runbook.markdown
    assert len(runbook.evidence.gaps) == 2
