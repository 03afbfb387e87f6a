"""Whether what an incident is about works again, by what its guards say. Pure."""

from datetime import datetime, timedelta

from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerState, BreakerStatus
from surefoot.contracts.budgets import BudgetLimit, BudgetWindow, ScopeKind, ScopeStatus
from surefoot.contracts.incidents import IncidentKind, IncidentReport

KIND = IncidentKind
BREAKERS = (KIND.BREAKER_OPEN, KIND.MODEL_OUTAGE, KIND.TOOL_FAILED)
BUDGETS = (KIND.BUDGET_SOFT, KIND.BUDGET_HARD)
RUNS = (KIND.RUN_FAILED, KIND.TOOL_FAILED)
"""Kinds that a run's answer says something about."""
UNBOOKED = "unsettled"
"""The fact of a run whose books could not be closed: that it is run again does not mend them."""
STORE_ANSWERS = "Redis answers again."
"""Why the outage of the store is over, whoever notices it first: a run that met it, or the incident itself."""
HEALS = frozenset({*BREAKERS, *BUDGETS, *RUNS, KIND.OUTCOME_UNKNOWN, KIND.STORE_OUTAGE})
"""Kinds of which it can be seen that they are over. The others end by a person's word, or are forgotten."""


def can_be_seen(report: IncidentReport) -> bool:
    """Whether it makes sense to look again. Of a budget it must be known which window is meant."""
    if report.kind in BUDGETS and "window" not in report.facts:
        return False
    return report.kind in HEALS and UNBOOKED not in report.facts


def of_breaker(report: IncidentReport, status: BreakerStatus | None) -> str | None:
    """Why a breaker's incident is over, in a sentence; None if it is not.

    An episode that is over has left the breaker closed in between. What has no episode of its own is over once the
    breaker is closed and has seen no failure lately.
    """
    if status is None:
        return f"The circuit of {report.subject} is closed: the store knows of no failure."
    if report.kind is KIND.BREAKER_OPEN and status.episode != report.episode:
        return f"The circuit of {report.subject} has closed since: its episode {report.episode} is over."
    healthy = report.kind is KIND.BREAKER_OPEN or not status.recent_failures
    return f"The circuit of {report.subject} is closed." if status.state is BreakerState.CLOSED and healthy else None


def scope_of(report: IncidentReport) -> tuple[ScopeKind, str]:
    """The scope that a budget's incident is about."""
    kind, _, subject = report.subject.partition(":")
    return ScopeKind(kind), subject


def limit_of(report: IncidentReport) -> BudgetLimit:
    """The limit that held when the line was crossed."""
    limit, line = _whole(report, "limit"), _whole(report, "soft_line")
    percent = 100 * line // limit if limit else 0
    return BudgetLimit(limit=limit, soft_percent=min(percent, 100), window=_window(report))


def window_end(report: IncidentReport) -> datetime | None:
    """When the budget's window ends; None if it never does."""
    return _moment(report, "resets_at")


def of_budget(report: IncidentReport, status: ScopeStatus) -> str | None:
    """Why a budget's incident is over, in a sentence; None if it is not.

    Most runs are stopped below the cap, by the next call that would pass it: what they had spent then is no room.
    """
    whose = f"{status.kind} {status.subject}"
    if status.window != report.facts.get("window"):
        return f"The window of {whose} that this was about is over."
    if status.round != (report.facts.get("round") or 0):
        return f"The budget of {whose} was raised or reset."
    line = status.soft_line if report.kind is KIND.BUDGET_SOFT else min(status.limit, _whole(report, "settled"))
    return f"The spending of {whose} is below its line again." if status.settled < line else None


def of_claim(claim: JsonObject | None) -> str | None:
    """Why an unknown outcome is known, in a sentence; None if it is not. A lost claim settles nothing."""
    if claim is None:
        return None
    if claim.get("settled"):
        return f"It was settled by {claim.get('by')}: {claim.get('reason')}"
    return "It has happened: its result is recorded." if claim.get("state") == "done" else None


def _window(report: IncidentReport) -> BudgetWindow:
    end, began = window_end(report), _moment(report, "window")
    if end is None or began is None:
        return BudgetWindow.FOREVER
    return BudgetWindow.DAY if end - began <= timedelta(days=1) else BudgetWindow.MONTH


def _moment(report: IncidentReport, fact: str) -> datetime | None:
    text = report.facts.get(fact)
    if not isinstance(text, str) or text == BudgetWindow.FOREVER:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else datetime.fromisoformat(f"{text}T00:00:00+00:00")


def _whole(report: IncidentReport, fact: str) -> int:
    value = report.facts.get(fact)
    return value if isinstance(value, int) else 0
