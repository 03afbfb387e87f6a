"""Severity follows from the kind and the facts, by a rule that can be named."""

import pytest

from surefoot.contracts.base import JsonObject
from surefoot.contracts.incidents import IncidentKind, Severity
from surefoot.incidents.severity import TABLE, assess
from tests.incidents.reports import report

K = IncidentKind


@pytest.mark.parametrize("kind", IncidentKind)
def test_each_kind_has_a_severity_whatever_the_facts(kind: IncidentKind) -> None:
    assessment = assess(report(kind, facts={}))
    assert assessment.severity in Severity
    assert assessment.why


@pytest.mark.parametrize(
    ("kind", "subject", "facts", "severity", "rule"),
    [
        (K.STORE_WIPED, "redis", {}, Severity.SEV1, "store-wiped"),
        (K.OUTCOME_UNKNOWN, "send_fax", {}, Severity.SEV2, "outcome-unknown"),
        (K.BREAKER_OPEN, "create_order", {}, Severity.SEV3, "breaker-open-tool"),
        (K.BREAKER_OPEN, "gemini:gemini-2.5-pro", {}, Severity.SEV2, "breaker-open-model"),
        (K.BREAKER_OPEN, "create_order", {"after": "forced_open"}, Severity.SEV5, "breaker-forced"),
        (K.MODEL_OUTAGE, "mistral:m", {}, Severity.SEV2, "model-outage"),
        (K.MODEL_OUTAGE, "mistral:m", {"fallback": "gemini:g"}, Severity.SEV3, "model-outage-with-fallback"),
        (K.BUDGET_HARD, "tenant:acme", {}, Severity.SEV2, "budget-hard-tenant"),
        (K.BUDGET_HARD, "session:s1", {}, Severity.SEV3, "budget-hard"),
        (K.BUDGET_SOFT, "tenant:acme", {}, Severity.SEV4, "budget-soft-tenant"),
        (K.BUDGET_SOFT, "session:s1", {}, Severity.SEV5, "budget-soft"),
        (K.TOOL_FAILED, "lookup_order", {"effect": "read"}, Severity.SEV4, "tool-failed-read"),
        (K.TOOL_FAILED, "create_order", {"effect": "keyed"}, Severity.SEV3, "tool-failed"),
        (K.RUN_FAILED, "run:a:b", {"error": "StoreUnavailable"}, Severity.SEV2, "run-failed-store"),
        (K.RUN_FAILED, "run:a:b", {"error": "ModelUnavailable"}, Severity.SEV2, "run-failed-model"),
        (K.RUN_FAILED, "run:a:b", {"error": "TurnsExhausted"}, Severity.SEV4, "run-failed-limit"),
        (K.RUN_FAILED, "run:a:b", {"holds": [], "unsettled": []}, Severity.SEV2, "run-failed-unbooked"),
        (K.RUN_FAILED, "run:a:b", {"error": "SomethingNew"}, Severity.SEV3, "run-failed"),
        (K.APPROVAL_EXPIRED, "publish_summary", {}, Severity.SEV4, "approval-expired"),
        (K.PRICE_DRIFT, "mistral:m", {}, Severity.SEV4, "price-drift"),
        (K.STORE_OUTAGE, "redis", {}, Severity.SEV2, "store-outage"),
    ],
)
def test_the_facts_decide_the_severity(
    kind: IncidentKind, subject: str, facts: JsonObject, severity: Severity, rule: str
) -> None:
    assessment = assess(report(kind, subject=subject, facts=facts))
    assert (assessment.severity, assessment.rule) == (severity, rule)


def test_no_rule_has_the_name_of_another() -> None:
    names = [rule.name for rule in TABLE]
    assert sorted(names) == sorted(set(names))
