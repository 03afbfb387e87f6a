"""What is known of an incident at once, from its report alone: severity, who is told, and what to do first."""

from collections.abc import Callable, Collection, Iterator

from surefoot.contracts.incidents import ComposeRequest, IncidentKind, IncidentReport, Plan
from surefoot.contracts.oncall import Instruction, Link
from surefoot.incidents.commands import BY, commands
from surefoot.incidents.markdown import clean, shell
from surefoot.incidents.oncall import OnCall

PageOf = Callable[[str], str | None]
"""The address of the page of a run or an incident in Temporal's web UI, if there is one."""

TITLES: dict[IncidentKind, str] = {
    IncidentKind.BREAKER_OPEN: "circuit of {} is open",
    IncidentKind.BUDGET_SOFT: "spending of {} is near its cap",
    IncidentKind.BUDGET_HARD: "spending of {} is stopped at its cap",
    IncidentKind.TOOL_FAILED: "{} failed and is not tried again",
    IncidentKind.OUTCOME_UNKNOWN: "nobody knows whether {} happened",
    IncidentKind.RUN_FAILED: "{} failed",
    IncidentKind.MODEL_OUTAGE: "model {} does not answer",
    IncidentKind.STORE_WIPED: "{} has lost what it held",
    IncidentKind.APPROVAL_EXPIRED: "nobody approved {} in time",
    IncidentKind.PRICE_DRIFT: "{} costs more than its listed price",
    IncidentKind.STORE_OUTAGE: "{} does not answer",
}
BUDGETS = (IncidentKind.BUDGET_SOFT, IncidentKind.BUDGET_HARD)
BREAKERS = (IncidentKind.BREAKER_OPEN, IncidentKind.MODEL_OUTAGE, IncidentKind.TOOL_FAILED)


class Triage:
    """Needs neither network nor clock, so that nothing comes before the page."""

    def __init__(self, policy: OnCall, channels: Collection[str], page_of: PageOf, *, enriches: bool = False) -> None:
        """``channels`` are those that are set up; ``enriches`` says whether a model is there to be asked."""
        self._policy = policy
        self._channels = frozenset(channels)
        self._page_of = page_of
        self._enriches = enriches

    def plan(self, request: ComposeRequest) -> Plan:
        report = request.report
        assessment = self._policy.assess(report)
        settings = self._policy.incidents
        return Plan(
            assessment=assessment,
            escalation=self._policy.escalation(assessment.severity, self._channels),
            title=TITLES[report.kind].format(clean(report.subject, 120)),
            instructions=tuple(_first_steps(request.incident_id, report)),
            links=tuple(self._links(request.incident_id, report)),
            watch_every=settings.watch_every,
            stale_after=settings.stale_after,
            enrich=settings.enrich and self._enriches,
        )

    def _links(self, incident_id: str, report: IncidentReport) -> Iterator[Link]:
        for text, id in (("Incident", incident_id), ("Run", report.run_id)):
            if url := self._page_of(id):
                yield Link(text=text, url=url)


def _first_steps(incident_id: str, report: IncidentReport) -> Iterator[Instruction]:
    """Say that somebody works on it, read the runbook, look at what failed."""
    known, incident = commands(incident_id, report), shell(incident_id)
    steps = {
        "Say that you work on it": f"./starter.py incidents ack {incident} {BY} 'on it'",
        "Read the runbook": f"./starter.py incidents runbook {incident}",
        "See what the run did": known.status,
    }
    if report.kind in BREAKERS:
        steps["See which circuits are open"] = known.breakers
    if report.kind in BUDGETS:
        steps["See what was spent"] = known.books
    if known.claim:
        steps["See what is known of the side effect"] = known.claim
    for title, command in steps.items():
        yield Instruction(title=title, command=str(command))
