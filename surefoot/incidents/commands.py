"""The commands of a runbook: each runs as it is printed."""

from dataclasses import dataclass

from surefoot.contracts.budgets import ScopeKind
from surefoot.contracts.incidents import IncidentReport
from surefoot.incidents.markdown import Written, shell


@dataclass(frozen=True)
class Commands:
    """What may be done about one incident, each a shell command on one line."""

    status: Written
    result: Written
    runs: Written
    history: Written
    cancel: Written
    incident: Written
    resolve: Written
    breakers: Written
    books: Written
    """Of the scope that a budget's incident is about."""


def commands(incident_id: str, report: IncidentReport) -> Commands:
    """The commands for this incident and the run that met it first."""
    run, incident = shell(report.run_id), shell(incident_id)
    return Commands(
        status=Written(f"./starter.py status {run}"),
        result=Written(f"./starter.py result {run}"),
        runs=Written("./starter.py runs --status failed"),
        history=Written(f"./starter.py history {run}"),
        cancel=Written(f"./starter.py cancel {run}"),
        incident=Written(f"./starter.py incidents show {incident}"),
        resolve=Written(
            f"./starter.py incidents resolve {incident} --by \"${{USER:-operator}}\" --reason 'checked: it works again'"
        ),
        breakers=Written("./starter.py breakers"),
        books=_books(report, run),
    )


def _books(report: IncidentReport, run: str) -> Written:
    kind, _, subject = report.subject.partition(":")
    if kind not in (ScopeKind.SESSION, ScopeKind.USER, ScopeKind.TENANT):
        return Written(f"./starter.py status {run}")  # a run's books are shown with the run
    scope = "" if kind == ScopeKind.TENANT else f" --{kind} {shell(subject)}"
    profile = report.facts.get("profile")
    limits = f" --profile {shell(profile)}" if isinstance(profile, str) else ""
    return Written(f"./starter.py budget{scope} --tenant {shell(report.tenant)}{limits}")
