"""The life of a route: while a model is out its runs use another one, until one probe shows that it answers again."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.routing import RoutingActivities
from surefoot.contracts.incidents import IncidentKind, IncidentReport, Plan
from surefoot.contracts.routing import LEASE, RerouteRequest, RouteBackRequest
from surefoot.incidents import record
from surefoot.incidents.markdown import clean, span
from workflows import policies
from workflows.case import Case

FALLBACKS = "fallbacks"
"""The fact of a model's outage that names what its run may call instead. Reports of earlier workers lack it."""


def apply(report: IncidentReport) -> bool:
    """Whether the incident is about a model that runs can be led around; then its probe is the watch, too."""
    return report.kind is IncidentKind.MODEL_OUTAGE and isinstance(report.facts.get(FALLBACKS), list)


async def lead(case: Case, plan: Plan) -> None:
    """Around the model at once; back, after looks every ``plan.watch_every``, once it answers: that resolves it.

    However long that takes it leaves eight events: three for each of two activities, and two of a timer.
    """
    if not apply(case.incident.report):
        return
    lease = max(LEASE, 3 * plan.watch_every)
    if case.incident.route is None:
        await _around(case, lease)
    with suppress(TimeoutError):
        await workflow.wait_condition(
            lambda: case.resolved, timeout=plan.watch_every, timeout_summary="before it looks for itself"
        )
    if case.resolved:
        return
    back = await workflow.execute_activity_method(
        RoutingActivities.route_back,
        _back(case, lease),
        start_to_close_timeout=policies.PROBE_TIMEOUT,
        heartbeat_timeout=policies.PROBE_HEARTBEAT,
        retry_policy=policies.route_back_retry(plan.watch_every),
        summary=f"looks whether {clean(model_of(case), 60)} answers again",
    )
    now = workflow.now()
    case.become(record.led_back(case.incident, now))
    if not case.resolved:
        case.become(record.resolved(case.incident, by=record.ITSELF, why=f"{back.model} answers again.", at=now))


async def end(case: Case) -> None:
    """Lead back whatever the incident was resolved by, after one probe; else the route ends with its lease."""
    if case.incident.route is None:
        return
    try:
        await workflow.execute_activity_method(
            RoutingActivities.route_back,
            _back(case, LEASE),
            start_to_close_timeout=policies.PROBE_TIMEOUT,
            schedule_to_close_timeout=policies.PROBE_WINDOW,
            heartbeat_timeout=policies.PROBE_HEARTBEAT,
            retry_policy=policies.ONCE,
            summary=f"leads back to {clean(model_of(case), 60)}",
        )
    except ActivityError as error:
        what = f"leads runs around {model_of(case)} for {span(LEASE)} more at most"
        case.become(record.noted(case.incident, workflow.now(), what, clean(str(error.cause or error))))
    else:
        case.become(record.led_back(case.incident, workflow.now()))


async def _around(case: Case, lease: timedelta) -> None:
    facts = case.incident.report.facts.get(FALLBACKS)
    candidates = tuple(str(model) for model in facts) if isinstance(facts, list) else ()
    led = await workflow.execute_activity_method(
        RoutingActivities.reroute,
        RerouteRequest(incident_id=case.incident.id, model=model_of(case), candidates=candidates, lease=lease),
        start_to_close_timeout=policies.PROBE_TIMEOUT * max(len(candidates), 1),
        heartbeat_timeout=policies.PROBE_HEARTBEAT,
        retry_policy=policies.REROUTE_RETRY,
        summary=f"leads runs around {clean(model_of(case), 60)}",
    )
    case.become(record.led_around(case.incident, led, workflow.now()))


def _back(case: Case, lease: timedelta) -> RouteBackRequest:
    return RouteBackRequest(incident_id=case.incident.id, model=model_of(case), lease=lease)


def model_of(case: Case) -> str:
    """The model that is out."""
    return case.incident.report.subject
