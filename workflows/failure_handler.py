"""The durable life of an incident: from the first report of a failure to its resolution."""

import asyncio
from contextlib import suppress

from temporalio import workflow

from activities.incidents import IncidentActivities
from surefoot import attributes
from surefoot.contracts.incidents import (
    ComposeRequest,
    Incident,
    IncidentReport,
    IncidentState,
    Recovery,
    Resolution,
)
from surefoot.errors import ErrorType, final
from surefoot.incidents import record
from workflows import policies


@workflow.defn
class FailureHandlerWorkflow:
    """One episode of one failure. It can be asked at any time, and ends once it is resolved."""

    @workflow.init
    def __init__(self, report: IncidentReport) -> None:
        self._incident = report.carried or record.opened(workflow.info().workflow_id, report)
        self._signals = 0

    @workflow.run
    async def run(self, report: IncidentReport) -> Incident:
        """Returns the closed incident."""
        self._show()
        composing = asyncio.create_task(self._compose()) if self._incident.runbook is None else None
        await workflow.wait_condition(lambda: self._resolved or self._must_continue())
        if not self._resolved:
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(report.model_copy(update={"carried": self._incident}))
        if composing and not composing.done():
            with suppress(TimeoutError):
                await workflow.wait_condition(composing.done, timeout=policies.COMPOSE_GRACE)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._incident

    @workflow.signal
    def occurred(self, report: IncidentReport) -> None:
        """Another run met the same episode."""
        self._signals += 1
        self._become(record.occurred(self._incident, report))

    @workflow.signal
    def recovered(self, recovery: Recovery) -> None:
        """What failed works again. Said again of a resolved incident, it changes nothing."""
        self._signals += 1
        if not self._resolved:
            self._become(record.resolved(self._incident, by=recovery.run_id, why=recovery.summary, at=workflow.now()))

    @workflow.update
    def resolve(self, resolution: Resolution) -> Incident:
        """A person ends the incident."""
        self._become(record.resolved(self._incident, by=resolution.by, why=resolution.reason, at=workflow.now()))
        return self._incident

    @resolve.validator
    def _refuse_a_second_end(self, resolution: Resolution) -> None:
        if self._resolved:
            raise final(
                ErrorType.INCIDENT_RESOLVED,
                f"incident {self._incident.id!r} was resolved by {self._incident.resolved_by!r} "
                f"at {self._incident.resolved_at:%Y-%m-%d %H:%M:%S} UTC",
            )

    @workflow.query
    def incident(self) -> Incident:
        return self._incident

    @property
    def _resolved(self) -> bool:
        return self._incident.state is IncidentState.RESOLVED

    def _must_continue(self) -> bool:
        return self._signals >= policies.SIGNALS_A_RUN or workflow.info().is_continue_as_new_suggested()

    async def _compose(self) -> None:
        runbook = await workflow.execute_activity_method(
            IncidentActivities.compose,
            ComposeRequest(incident_id=self._incident.id, report=self._incident.report),
            start_to_close_timeout=policies.COMPOSE_TIMEOUT,
            retry_policy=policies.COMPOSE_RETRY,
            summary="runbook",
        )
        self._become(record.composed(self._incident, runbook))

    def _become(self, incident: Incident) -> None:
        self._incident = incident
        self._show()

    def _show(self) -> None:
        """Keep Temporal's list and page of this incident true, with a command only where something changed."""
        known = workflow.info().typed_search_attributes
        updates = [
            key.value_set(value)
            for key, value in attributes.of_incident(self._incident).items()
            if known.get(key) != value
        ]
        if updates:
            workflow.upsert_search_attributes(updates)
        workflow.set_current_details(record.page(self._incident))
