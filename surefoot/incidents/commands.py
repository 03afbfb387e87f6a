"""The commands of a runbook: each runs as it is printed."""

from dataclasses import dataclass

from surefoot.contracts.budgets import NANOS_PER_DOLLAR, ScopeKind, dollars
from surefoot.contracts.incidents import IncidentReport
from surefoot.incidents.markdown import Written, shell

BY = '--by "${USER:-operator}" --reason'
"""Whoever pastes the command is who did it; the reason is for them to change."""


@dataclass(frozen=True)
class Commands:
    """What may be done about one incident, each a shell command on one line; None where it cannot be done."""

    status: Written
    result: Written
    runs: Written
    history: Written
    cancel: Written
    retry: Written
    reset: Written | None
    """From the turn that the run was in when it told of the incident."""
    approvals: Written
    incident: Written
    acknowledge: Written
    resolve: Written
    doctor: Written
    breakers: Written
    breaker: Written
    """The one of the subject."""
    force_open: Written
    end_route: Written
    """Let runs try a model again that they are led around."""
    close: Written
    """Let calls through the breaker again."""
    books: Written
    """Of the scope that a budget's incident is about."""
    top_up: Written | None
    rebuild: Written | None
    claim: Written | None
    happened: Written | None
    """Settle the effect as done."""
    did_not_happen: Written | None


def commands(incident_id: str, report: IncidentReport) -> Commands:
    """The commands for this incident and the run that met it first."""
    run, incident, subject = shell(report.run_id), shell(incident_id), shell(report.subject)
    claim = _claim(report)
    return Commands(
        status=Written(f"./starter.py status {run}"),
        result=Written(f"./starter.py result {run}"),
        runs=Written("./starter.py runs --status failed"),
        history=Written(f"./starter.py history {run}"),
        cancel=Written(f"./starter.py cancel {run}"),
        retry=Written(f"./starter.py retry {run} {BY} 'mended what it failed of'"),
        reset=_reset(report, run),
        approvals=Written("./starter.py approvals"),
        incident=Written(f"./starter.py incidents show {incident}"),
        acknowledge=Written(f"./starter.py incidents ack {incident} {BY} 'on it'"),
        resolve=Written(f"./starter.py incidents resolve {incident} {BY} 'checked: it works again'"),
        doctor=Written("./starter.py doctor"),
        breakers=Written("./starter.py breakers"),
        breaker=Written(f"./starter.py breakers show {subject}"),
        end_route=Written(f"./starter.py routes clear {subject}"),
        force_open=Written(f"./starter.py breakers force-open {subject} {BY} 'keeps calls off until it is mended'"),
        close=Written(f"./starter.py breakers reset {subject} {BY} 'checked: it is mended'"),
        books=_books(report, run),
        top_up=_top_up(report),
        rebuild=_rebuild(report),
        claim=Written(f"./starter.py ledger show {claim}") if claim else None,
        happened=_settled(claim, "--done '\"it has happened\"'", "the target shows it"),
        did_not_happen=_settled(claim, "--not-done", "the target does not show it"),
    )


def _reset(report: IncidentReport, run: str) -> Written | None:
    turn = report.facts.get("turns")
    if not isinstance(turn, int) or turn < 1:
        return None
    return Written(f"./starter.py reset {run} --to {turn} {BY} 'mended what it failed of'")


def _books(report: IncidentReport, run: str) -> Written:
    scope = _scope(report)
    return Written(f"./starter.py status {run}" if scope is None else f"./starter.py budget{scope}{_limits(report)}")


def _top_up(report: IncidentReport) -> Written | None:
    """By half of the limit again."""
    scope, limit = _scope(report), report.facts.get("limit")
    if scope is None:
        return None
    more = dollars(limit // 2 if isinstance(limit, int) and limit > 1 else NANOS_PER_DOLLAR // 2)
    return Written(f"./starter.py budget top-up {more}{scope}{_limits(report)} {BY} 'the work is worth it'")


def _rebuild(report: IncidentReport) -> Written | None:
    is_session = report.subject.startswith(f"{ScopeKind.SESSION}:")
    return Written(f"./starter.py budget rebuild{_scope(report)}{_limits(report)}") if is_session else None


def _scope(report: IncidentReport) -> str | None:
    """The options that name the scope; None for a run's, whose books are shown with the run."""
    kind, _, subject = report.subject.partition(":")
    if kind not in (ScopeKind.SESSION, ScopeKind.USER, ScopeKind.TENANT):
        return None
    whose = "" if kind == ScopeKind.TENANT else f" --{kind} {shell(subject)}"
    return f"{whose} --tenant {shell(report.tenant)}"


def _limits(report: IncidentReport) -> str:
    profile = report.facts.get("profile")
    return f" --profile {shell(profile)}" if isinstance(profile, str) else ""


def _claim(report: IncidentReport) -> str | None:
    """The effect key, if the report tells one: letters and digits, so that it needs no quotes."""
    key = report.facts.get("effect_key")
    return key if isinstance(key, str) and key.isalnum() and key.isascii() else None


def _settled(claim: str | None, outcome: str, reason: str) -> Written | None:
    return Written(f"./starter.py ledger settle {claim} {outcome} {BY} '{reason}'") if claim else None
