"""The commands of a runbook: each runs as it is printed."""

from dataclasses import dataclass

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
    budget: Written


def commands(incident_id: str, report: IncidentReport) -> Commands:
    """The commands for this incident and the run that met it first."""
    run, incident = shell(report.run_id), shell(incident_id)
    return Commands(
        status=Written(f"python starter.py status {run}"),
        result=Written(f"python starter.py result {run}"),
        runs=Written("python starter.py runs --status failed"),
        history=Written(f"temporal workflow show -w {run}"),
        cancel=Written(f"python starter.py cancel {run}"),
        incident=Written(f"python starter.py incidents {incident}"),
        resolve=Written(
            f"python starter.py incidents resolve {incident}"
            " --by \"${USER:-operator}\" --reason 'checked: it works again'"
        ),
        breakers=Written("python starter.py breakers"),
        budget=Written("python starter.py budget"),
    )
