"""How bad an incident is: a deterministic table from its kind and its facts."""

from collections.abc import Callable
from dataclasses import dataclass

from surefoot.contracts.breakers import BreakerState
from surefoot.contracts.budgets import ScopeKind
from surefoot.contracts.incidents import Assessment, IncidentKind, IncidentReport, Severity
from surefoot.contracts.tools import Effect
from surefoot.errors import ErrorType


@dataclass(frozen=True)
class Rule:
    """One line of the table: it matches a kind, and facts where it names any."""

    name: str
    kind: IncidentKind
    severity: Severity
    why: str
    when: Callable[[IncidentReport], bool] = lambda report: True


def names_model(breaker: str) -> bool:
    """Whether a breaker guards a model: those are named ``provider:model``, and a tool's name has no colon."""
    return ":" in breaker


def _of_a_model(report: IncidentReport) -> bool:
    return names_model(report.subject)


def _of_an_operator(report: IncidentReport) -> bool:
    return report.facts.get("after") == BreakerState.FORCED_OPEN


def _of_a_tenant(report: IncidentReport) -> bool:
    return report.subject.startswith(f"{ScopeKind.TENANT}:")


def _of_a_reader(report: IncidentReport) -> bool:
    return report.facts.get("effect") == Effect.READ


def _with_fallback(report: IncidentReport) -> bool:
    return bool(report.facts.get("fallback"))


def _unbooked(report: IncidentReport) -> bool:
    return "unsettled" in report.facts


def _failed_as(*types: str) -> Callable[[IncidentReport], bool]:
    return lambda report: report.facts.get("error") in types


_KIND = IncidentKind
_SEV = Severity

TABLE: tuple[Rule, ...] = (
    Rule(
        "store-wiped",
        _KIND.STORE_WIPED,
        _SEV.SEV1,
        "claims may be lost, and with them the proof that side effects have already happened",
    ),
    Rule(
        "outcome-unknown",
        _KIND.OUTCOME_UNKNOWN,
        _SEV.SEV2,
        "a side effect may or may not have happened, and only a person can find out",
    ),
    Rule(
        "model-outage-with-fallback",
        _KIND.MODEL_OUTAGE,
        _SEV.SEV3,
        "runs go on with the fallback model",
        _with_fallback,
    ),
    Rule("model-outage", _KIND.MODEL_OUTAGE, _SEV.SEV2, "runs wait or fail, since there is no fallback model"),
    Rule("breaker-forced", _KIND.BREAKER_OPEN, _SEV.SEV5, "an operator opened the breaker on purpose", _of_an_operator),
    Rule("breaker-open-model", _KIND.BREAKER_OPEN, _SEV.SEV2, "every run that uses this model is held up", _of_a_model),
    Rule("breaker-open-tool", _KIND.BREAKER_OPEN, _SEV.SEV3, "runs go on without this tool"),
    Rule(
        "budget-hard-tenant",
        _KIND.BUDGET_HARD,
        _SEV.SEV2,
        "every run of the tenant is refused until the window ends or the budget is raised",
        _of_a_tenant,
    ),
    Rule("budget-hard", _KIND.BUDGET_HARD, _SEV.SEV3, "runs in this scope are refused, others are not"),
    Rule(
        "budget-soft-tenant",
        _KIND.BUDGET_SOFT,
        _SEV.SEV4,
        "every run of the tenant is moved to cheaper models",
        _of_a_tenant,
    ),
    Rule("budget-soft", _KIND.BUDGET_SOFT, _SEV.SEV5, "runs in this scope are moved to cheaper models"),
    Rule("tool-failed-read", _KIND.TOOL_FAILED, _SEV.SEV4, "a look-up failed; nothing was changed", _of_a_reader),
    Rule("tool-failed", _KIND.TOOL_FAILED, _SEV.SEV3, "a deed that the run was asked for was not done"),
    Rule(
        "run-failed-unbooked",
        _KIND.RUN_FAILED,
        _SEV.SEV2,
        "money or side effects are missing from the books until a person enters them",
        _unbooked,
    ),
    Rule(
        "run-failed-store",
        _KIND.RUN_FAILED,
        _SEV.SEV2,
        "the store was away for longer than the run could wait, so other runs are held up too",
        _failed_as(ErrorType.STORE_UNAVAILABLE),
    ),
    Rule(
        "run-failed-model",
        _KIND.RUN_FAILED,
        _SEV.SEV2,
        "no model could be used, so other runs are held up too",
        _failed_as(ErrorType.MODEL_UNAVAILABLE),
    ),
    Rule(
        "run-failed-limit",
        _KIND.RUN_FAILED,
        _SEV.SEV4,
        "the run stopped at a limit that its profile or budget sets",
        _failed_as(
            ErrorType.BUDGET_EXHAUSTED,
            ErrorType.DEADLINE_EXCEEDED,
            ErrorType.TURNS_EXHAUSTED,
            ErrorType.NO_PROGRESS,
            ErrorType.MODEL_REFUSED,
        ),
    ),
    Rule("run-failed", _KIND.RUN_FAILED, _SEV.SEV3, "the run ended without an answer for a reason of its own"),
    Rule(
        "store-outage",
        _KIND.STORE_OUTAGE,
        _SEV.SEV2,
        "no run can pay for a model call or perform a side effect until Redis is back",
    ),
    Rule(
        "price-drift", _KIND.PRICE_DRIFT, _SEV.SEV4, "a model costs more than its listed price; it is booked as billed"
    ),
    Rule("approval-expired", _KIND.APPROVAL_EXPIRED, _SEV.SEV4, "nobody decided in time; the call was not made"),
)
"""The first rule that matches holds. The last rule of each kind matches always."""


def assess(report: IncidentReport) -> Assessment:
    """Find the severity of what the report tells, with the rule and why."""
    rule = next(rule for rule in TABLE if rule.kind == report.kind and rule.when(report))
    return Assessment(severity=rule.severity, rule=rule.name, why=rule.why)
