"""What an incident does by itself: it tells people, learns, watches, and writes its record."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.incidents import IncidentActivities
from activities.post_incident import PostIncidentActivities
from activities.triage import TriageActivities
from surefoot.contracts.incidents import ComposeRequest, Plan
from surefoot.incidents import record
from surefoot.incidents.markdown import clean
from workflows import detours, hints, policies, watching
from workflows.case import Case
from workflows.escalation import Escalation
from workflows.paging import Pager


class Life:
    """Triage comes first, since it says who is told; then the page and the runbook begin at the same time."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.pager = Pager(case)
        self._escalation = Escalation(case, self.pager)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way that would be done twice if the incident continued as new."""
        return self.pager.quiet and not self._escalation.behind

    async def tell_and_watch(self) -> None:
        """Until it is resolved, which each part sees for itself: what ends just as it is cancelled goes on."""
        case = self._case
        plan = case.incident.plan or await self._triage()
        watch = detours.lead if detours.apply(case.incident.report) else watching.watch
        await asyncio.gather(self._escalation.run(), watch(case, plan), watching.expire(case, plan))

    async def _triage(self) -> Plan:
        case = self._case
        plan = await workflow.execute_activity_method(
            TriageActivities.triage,
            ComposeRequest(incident_id=case.incident.id, report=case.incident.report),
            start_to_close_timeout=policies.TRIAGE_TIMEOUT,
            retry_policy=policies.TRIAGE_RETRY,
            summary="severity, and who is told",
        )
        case.become(record.triaged(case.incident, plan, workflow.now()))
        return plan

    async def study(self) -> None:
        """Compose the runbook once the plan is there, or the incident is over without one; then ask for a hint."""
        case = self._case
        await workflow.wait_condition(lambda: case.incident.plan is not None or case.resolved)
        await self.compose()
        await hints.enrich(case)

    async def compose(self) -> None:
        case, plan = self._case, self._case.incident.plan
        request = ComposeRequest(incident_id=case.incident.id, report=case.incident.report)
        if plan:
            known = {"assessment": plan.assessment, "escalation": plan.escalation, "links": plan.links}
            request = request.model_copy(update=known)
        try:
            runbook = await workflow.execute_activity_method(
                IncidentActivities.compose,
                request,
                start_to_close_timeout=policies.COMPOSE_TIMEOUT,
                retry_policy=policies.COMPOSE_RETRY,
                summary="runbook",
            )
        except ActivityError as error:
            why = clean(str(error.cause or error))
            case.become(record.noted(case.incident, workflow.now(), "has no runbook", why))
        else:
            case.become(record.composed(case.incident, runbook, workflow.now()))

    async def end(self) -> None:
        """Tell every channel that was paged that it is over. A page that is still being tried is given up."""
        self.pager.resolve()
        await detours.end(self._case)
        await workflow.wait_condition(lambda: self.pager.quiet)
        self.pager.raise_failures()

    async def write_record(self) -> None:
        case = self._case
        try:
            written = await workflow.execute_activity_method(
                PostIncidentActivities.close,
                case.incident,
                start_to_close_timeout=policies.RECORD_TIMEOUT,
                schedule_to_close_timeout=policies.RECORD_WINDOW,
                retry_policy=policies.RECORD_RETRY,
                summary="post-incident record",
            )
        except ActivityError as error:
            why = clean(str(error.cause or error))
            case.become(record.noted(case.incident, workflow.now(), "has no record", why))
        else:
            case.become(record.closed(case.incident, written, workflow.now()))
