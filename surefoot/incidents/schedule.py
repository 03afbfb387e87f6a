"""When which level of an incident's escalation is told. Pure, so that the workflow may use it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from surefoot.contracts.incidents import Incident, IncidentState
from surefoot.contracts.oncall import Escalation, Level


@dataclass(frozen=True)
class Call:
    """A level that is to be told, and when."""

    at: datetime
    level: Level
    number: int
    """Of the level, from 0."""
    round: int


def next_call(incident: Incident) -> Call | None:
    """The level that is told next if nobody acts before; None if nobody is told any more.

    Somebody's acknowledgement stops the calls, until the snooze ends that came with it.
    """
    if incident.plan is None or incident.levels_from is None:
        return None
    waits = incident.state is IncidentState.ACKNOWLEDGED and incident.snoozed_until is None
    if waits or incident.state is IncidentState.RESOLVED or incident.told >= _calls(incident.plan.escalation):
        return None
    number, round = _place(incident.plan.escalation, incident.told)
    at = incident.levels_from + _offset(incident.plan.escalation, incident.told)
    return Call(at=at, level=incident.plan.escalation.levels[number], number=number, round=round)


def rewound(incident: Incident, told: int, at: datetime) -> Incident:
    """Tell this level at that time, as if those before had been told on time, and those after it as far behind."""
    if incident.plan is None or told >= _calls(incident.plan.escalation):
        return incident
    began = at - _offset(incident.plan.escalation, told)
    return incident.model_copy(update={"told": told, "levels_from": began, "recalled": True})


def level_of(incident: Incident, who: str) -> int:
    """The level of this round that is called so; else the one that was told last."""
    last = max(incident.told - 1, 0)
    levels = incident.plan.escalation.levels if incident.plan else ()
    first = last - last % len(levels) if levels else 0
    named = (first + number for number, level in enumerate(levels) if level.who == who)
    return next(named, last)


def _calls(escalation: Escalation) -> int:
    return len(escalation.levels) * (1 + escalation.repeats)


def _place(escalation: Escalation, told: int) -> tuple[int, int]:
    round, number = divmod(told, len(escalation.levels))
    return number, round


def _offset(escalation: Escalation, told: int) -> timedelta:
    number, round = _place(escalation, told)
    return round * escalation.every + escalation.levels[number].after
