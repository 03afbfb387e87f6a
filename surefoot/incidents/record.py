"""What an incident knows, and how each report, person and message changes it. Pure, so that the workflow may use it."""

from datetime import datetime
from typing import Any

from surefoot.contracts.incidents import (
    Acknowledgement,
    Deed,
    Enrichment,
    Incident,
    IncidentReport,
    IncidentState,
    Plan,
    PostIncident,
    Reassignment,
    Runbook,
    Snooze,
)
from surefoot.contracts.oncall import ChannelName, Delivery, DeliveryState, Notice
from surefoot.contracts.routing import Rerouted
from surefoot.incidents import schedule
from surefoot.incidents.schedule import Call
from surefoot.incidents.severity import assess

SAMPLE = 20
"""Runs that an incident remembers by name."""
KEPT = 100
"""Deeds and deliveries that it remembers."""
ITSELF = "surefoot"
"""Who did what no person and no run did."""
ACKNOWLEDGED = "acknowledged"
"""The deed from which the time to acknowledge is reckoned."""


def opened(id: str, report: IncidentReport) -> Incident:
    """The incident after its first report."""
    return Incident(
        id=id,
        report=report,
        assessment=assess(report),
        first_at=report.at,
        last_at=report.at,
        runs=(report.run_id,),
    )


def begun(incident: Incident, at: datetime) -> Incident:
    """The incident from when it began to live; one that lived before keeps its times."""
    if incident.opened_at is not None:
        return incident
    began = at if incident.runbook is None else min(incident.first_at, at)
    return incident.model_copy(update={"opened_at": began, "heard_at": at})


def occurred(incident: Incident, report: IncidentReport, at: datetime) -> Incident:
    """The incident after one more report, which may be older than the ones before."""
    runs = tuple(dict.fromkeys((*incident.runs, report.run_id)))
    return incident.model_copy(
        update={
            "occurrences": incident.occurrences + 1,
            "first_at": min(incident.first_at, report.at),
            "last_at": max(incident.last_at, report.at),
            "heard_at": at,
            "runs": runs[:SAMPLE],
        }
    )


def triaged(incident: Incident, plan: Plan, at: datetime) -> Incident:
    """The incident with its plan; the levels are reckoned from now, or from the end of a snooze."""
    began = max(at, incident.snoozed_until or at)
    planned = incident.model_copy(update={"plan": plan, "assessment": plan.assessment, "levels_from": began})
    if plan.escalation.levels:
        return planned
    severity = plan.assessment.severity.name
    return noted(planned, at, "told nobody", f"the escalation of {severity} names no channel that is set up")


def composed(incident: Incident, runbook: Runbook, at: datetime) -> Incident:
    """The incident with its runbook; its severity is the plan's, if there is one."""
    assessment = incident.plan.assessment if incident.plan else runbook.assessment
    written = incident.model_copy(update={"runbook": runbook, "assessment": assessment})
    return _without_files(written, runbook.problems, at)


def called(incident: Incident, call: Call, at: datetime) -> Incident:
    """The incident once the messages of a level are on their way. A snooze is over, and what was said before it.

    What came late moves the levels behind it, so that they are not all told at once after an outage.
    """
    who = addressee(incident, call)
    calling = _unanswered(incident) if incident.snoozed_until else incident
    began = incident.levels_from + max(at - call.at, at - at) if incident.levels_from else None
    told = calling.model_copy(update={"told": incident.told + 1, "levels_from": began, "recalled": False})
    by = ", ".join(call.level.channels)
    return noted(told, at, f"called {who}", f"level {call.number + 1} of round {call.round + 1}, by {by}")


def addressee(incident: Incident, call: Call) -> str:
    """Whom a level's messages are for: by its name, or the assignee where it is told for that one."""
    return (incident.recalled and incident.assignee) or call.level.who


def delivered(incident: Incident, delivery: Delivery) -> Incident:
    """The incident after one more message.

    It forgets neither the first page that arrived nor the newest message of each kind to each channel.
    """
    all_of_them = (*incident.deliveries, delivery)
    newest = {(one.channel, one.notice): number for number, one in enumerate(all_of_them)}
    arrived = [number for number, one in enumerate(all_of_them) if _paged(one)][:1]
    kept = {*newest.values(), *arrived}
    others = [number for number in range(len(all_of_them)) if number not in kept]
    kept.update(others[-max(KEPT - len(kept), 1) :])
    remaining = tuple(one for number, one in enumerate(all_of_them) if number in kept)
    return incident.model_copy(update={"deliveries": remaining})


def _paged(delivery: Delivery) -> bool:
    return delivery.notice is Notice.TRIGGER and delivery.state is DeliveryState.DELIVERED


def reached(incident: Incident) -> dict[ChannelName, str]:
    """Channels where an alert of this incident is open, or may be, with whom it was for."""
    last = {one.channel: one.who for one in incident.deliveries if one.notice is Notice.TRIGGER and _arrived(one)}
    ended = {one.channel for one in incident.deliveries if one.notice is Notice.RESOLVE}
    return {channel: who for channel, who in last.items() if channel not in ended}


def _arrived(delivery: Delivery) -> bool:
    return delivery.state is DeliveryState.DELIVERED or delivery.in_doubt


def acknowledged(incident: Incident, act: Acknowledgement, at: datetime) -> Incident:
    """Somebody works on it: nobody else is called."""
    known = incident.model_copy(
        update={
            "state": IncidentState.ACKNOWLEDGED,
            "acknowledged_by": act.by,
            "acknowledged_why": act.reason,
            "acknowledged_at": at,
            "snoozed_until": None,
            "heard_at": at,
        }
    )
    return _done(known, at, act.by, ACKNOWLEDGED, act.reason)


def snoozed(incident: Incident, act: Snooze, at: datetime) -> Incident:
    """Nobody is called for a while; then the level that was told last is told again, and those after it follow."""
    until = at + act.length
    quiet = schedule.rewound(incident, max(incident.told - 1, 0), until)
    known = quiet.model_copy(update={"snoozed_until": until, "heard_at": at})
    return _done(known, at, act.by, f"snoozed until {until:%Y-%m-%d %H:%M:%S} UTC", act.reason)


def reassigned(incident: Incident, act: Reassignment, at: datetime) -> Incident:
    """Somebody else is told now: by the channels of the level of that name, or of the one that was told last."""
    told = schedule.rewound(incident, schedule.level_of(incident, act.to), at)
    known = _unanswered(told).model_copy(update={"assignee": act.to, "recalled": True, "heard_at": at})
    return _done(known, at, act.by, f"reassigned to {act.to}", act.reason)


def _unanswered(incident: Incident) -> Incident:
    nobody = dict.fromkeys(("acknowledged_by", "acknowledged_why", "acknowledged_at", "snoozed_until"))
    return incident.model_copy(update={**nobody, "state": IncidentState.OPEN})


def resolved(incident: Incident, *, by: str, why: str, at: datetime) -> Incident:
    """The incident at its end."""
    changes: dict[str, Any] = {"state": IncidentState.RESOLVED, "snoozed_until": None}  # of several types
    ended = incident.model_copy(update={**changes, "resolved_by": by, "resolved_why": why, "resolved_at": at})
    return _done(ended, at, by, "resolved", why)


def enriched(incident: Incident, hint: Enrichment) -> Incident:
    """The incident with what a model makes of it, which changes nothing else."""
    return incident.model_copy(update={"enrichment": hint})


def led_around(incident: Incident, led: Rerouted, at: datetime) -> Incident:
    """The incident once runs are led around its model, or no other model can take over."""
    why = "; ".join(f"{one.model}: {one.why}" for one in led.unfit)
    model = incident.report.subject
    if led.route is None:
        return noted(incident, at, f"cannot lead runs around {model}", why or "their profile names no other model")
    led_there = incident.model_copy(update={"route": led.route})
    return noted(led_there, at, f"leads runs from {model} to {led.route.to}", why)


def led_back(incident: Incident, at: datetime) -> Incident:
    """The incident once its model answers again. Without a route nothing was done."""
    if incident.route is None:
        return incident
    return noted(incident.model_copy(update={"route": None}), at, f"leads runs back to {incident.route.model}")


def closed(incident: Incident, written: PostIncident, at: datetime) -> Incident:
    """The incident with its record, and with what went wrong in writing it."""
    return _without_files(incident.model_copy(update={"post_incident": written}), written.problems, at)


def _without_files(incident: Incident, problems: tuple[str, ...], at: datetime) -> Incident:
    for problem in problems:
        incident = noted(incident, at, "could not write a file", problem)
    return incident


def noted(incident: Incident, at: datetime, what: str, why: str = "") -> Incident:
    """The incident after something that it did itself."""
    return _done(incident, at, ITSELF, what, why)


def _done(incident: Incident, at: datetime, by: str, what: str, why: str) -> Incident:
    deeds = (*incident.deeds, Deed(at=at, by=by, what=what, why=why))
    return incident.model_copy(update={"deeds": deeds[-KEPT:]})
