"""The record of an incident that is over: how long everything took, who was told and what was done."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from jinja2 import PackageLoader

from surefoot.contracts.budgets import dollars
from surefoot.contracts.incidents import Incident, PostIncident
from surefoot.contracts.oncall import DeliveryState, Notice
from surefoot.incidents.markdown import Written, clean, span
from surefoot.incidents.record import ACKNOWLEDGED, SAMPLE
from surefoot.incidents.runbook import RunbookWriter

TEMPLATE = "post_incident.md.j2"
NEVER = Written("it never came to that")
DETECTED_LATE = timedelta(minutes=5)
PAGED_LATE = timedelta(minutes=1)


class PostIncidentWriter:
    """Every foreign word is escaped by the rules of runbooks. Needs no network and no clock."""

    def __init__(self) -> None:
        self._environment = RunbookWriter(PackageLoader("surefoot.incidents", "records")).environment
        self._environment.globals |= {"words": Written}

    def write(self, incident: Incident, spent: int | None) -> PostIncident:
        """``spent`` is what the first run had spent by then, in nano-dollars; None if it is not known."""
        known = measured(incident, spent)
        return known.model_copy(update={"markdown": self._rendered(incident, known)})

    def _rendered(self, incident: Incident, known: PostIncident) -> str:
        opened, resolved = _opened(incident), _resolved(incident)
        return self._environment.get_template(TEMPLATE).render(
            incident=incident,
            title=Written(clean(incident.plan.title if incident.plan else incident.report.kind)),
            severity=Written(incident.severity.name),
            why=Written(clean(incident.assessment.why)),
            rule=Written(clean(incident.assessment.rule)),
            opened_at=opened,
            resolved_at=resolved,
            resolved_by=incident.resolved_by or "nobody",
            resolved_why=incident.resolved_why or "no reason was given",
            figures=tuple(_figures(known)),
            timeline=incident.runbook.evidence.timeline if incident.runbook else (),
            questions=tuple(_questions(incident, known)),
        )


def measured(incident: Incident, spent: int | None) -> PostIncident:
    """The figures. A clock that is behind another's gives no negative time."""
    opened = _opened(incident)
    paged = [
        one.at for one in incident.deliveries if one.notice is Notice.TRIGGER and one.state is DeliveryState.DELIVERED
    ]
    acknowledged = [deed.at for deed in incident.deeds if deed.what == ACKNOWLEDGED]
    return PostIncident(
        opened_after=_between(incident.first_at, opened),
        paged_after=_between(opened, min(paged)) if paged else None,
        acknowledged_after=_between(opened, acknowledged[0]) if acknowledged else None,
        resolved_after=_between(opened, _resolved(incident)),
        occurrences=incident.occurrences,
        runs=len(incident.runs),
        spent_nanos=spent,
    )


def _between(earlier: datetime, later: datetime) -> timedelta:
    return max(later - earlier, timedelta(0))


def _opened(incident: Incident) -> datetime:
    return incident.opened_at or incident.first_at


def _resolved(incident: Incident) -> datetime:
    return incident.resolved_at or incident.last_at


def _figures(known: PostIncident) -> Iterator[tuple[Written, Written]]:
    runs = f"{known.runs} or more" if known.runs >= SAMPLE else str(known.runs)
    spent = "not known" if known.spent_nanos is None else f"${dollars(known.spent_nanos)}"
    figures = {
        "From the first failure to the incident": span(known.opened_after),
        "From the incident to the first page": _maybe(known.paged_after),
        "To the first acknowledgement": _maybe(known.acknowledged_after),
        "To the end": span(known.resolved_after),
        "Occurrences": str(known.occurrences),
        "Runs that met it": runs,
        "Spent by the first run": spent,
    }
    for label, value in figures.items():
        yield Written(label), Written(value)


def _maybe(length: timedelta | None) -> str:
    return NEVER if length is None else span(length)


def _questions(incident: Incident, known: PostIncident) -> Iterator[Written]:
    """What the figures ask for; at least the one that every incident asks."""
    yield Written("What ended it, and would it have ended by itself?")
    if known.opened_after > DETECTED_LATE:
        yield Written("It took long to be noticed: which limit or policy would have shown it sooner?")
    if known.paged_after is not None and known.paged_after > PAGED_LATE:
        yield Written("The first page was late: was a channel slow, or no worker there?")
    if any(one.state is DeliveryState.FAILED for one in incident.deliveries):
        yield Written("A message could not be delivered: mend that channel before the next incident.")
    if known.paged_after is not None and known.acknowledged_after is None:
        yield Written("Nobody acknowledged it: were the right people told, or is its severity too high?")
