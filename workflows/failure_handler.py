"""The durable life of an incident: from the first report of a failure to the record of its end."""

import asyncio
from contextlib import suppress

from temporalio import workflow

from surefoot.contracts.incidents import (
    Acknowledgement,
    Incident,
    IncidentReport,
    IncidentState,
    Reassignment,
    Recovery,
    Resolution,
    Snooze,
)
from surefoot.errors import ErrorType, final
from surefoot.incidents import record
from workflows import policies
from workflows.case import Case
from workflows.life import Life
from workflows.unhindered import called_off

ON_CALL = "on-call"
"""Marks the histories of incidents that tell people. Those of before, which do not, end as they began."""


@workflow.defn
class FailureHandlerWorkflow:
    """One episode of one failure. It can be asked at any time, and ends once it is resolved."""

    @workflow.init
    def __init__(self, report: IncidentReport) -> None:
        opened = report.carried or record.opened(workflow.info().workflow_id, report)
        self._case = Case(record.begun(opened, workflow.now()))
        self._life = Life(self._case)
        self._signals = 0

    @workflow.run
    async def run(self, report: IncidentReport) -> Incident:
        """Returns the closed incident."""
        self._case.show()
        if workflow.patched(ON_CALL):
            await self._lived(report)
        else:
            await self._lived_as_before(report)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._case.incident

    async def _lived(self, report: IncidentReport) -> None:
        case, life = self._case, self._life
        telling = asyncio.create_task(life.tell_and_watch())
        studying = asyncio.create_task(life.study()) if case.incident.runbook is None else None
        await workflow.wait_condition(lambda: case.resolved or telling.done() or self._must_continue())
        if telling.done():
            telling.result()  # raises what should not have happened
        if not case.resolved:
            await self._continue_as_new(report)
        await called_off(telling)
        await life.end()
        await self._graced(studying)
        await life.write_record()

    async def _lived_as_before(self, report: IncidentReport) -> None:
        """As incidents did that told nobody: a runbook, and the wait for the end."""
        case = self._case
        composing = asyncio.create_task(self._life.compose()) if case.incident.runbook is None else None
        await workflow.wait_condition(lambda: case.resolved or self._must_continue())
        if not case.resolved:
            await self._continue_as_new(report)
        await self._graced(composing)

    async def _continue_as_new(self, report: IncidentReport) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(report.model_copy(update={"carried": self._case.incident}))

    async def _graced(self, composing: asyncio.Task[None] | None) -> None:
        """A resolved incident waits a while for its runbook."""
        if composing and not composing.done():
            with suppress(TimeoutError):
                await workflow.wait_condition(composing.done, timeout=policies.COMPOSE_GRACE)

    def _must_continue(self) -> bool:
        enough = self._signals >= policies.SIGNALS_A_RUN or workflow.info().is_continue_as_new_suggested()
        return enough and self._life.at_rest

    @workflow.signal
    def occurred(self, report: IncidentReport) -> None:
        """Another run met the same episode."""
        self._signals += 1
        self._case.become(record.occurred(self._case.incident, report, workflow.now()))

    @workflow.signal
    def recovered(self, recovery: Recovery) -> None:
        """What failed works again. Said again of a resolved incident, it changes nothing."""
        self._signals += 1
        if not self._case.resolved:
            self._resolve(recovery.run_id, recovery.summary)

    @workflow.update
    def acknowledge(self, act: Acknowledgement) -> Incident:
        """A person works on it: nobody else is called."""
        self._case.become(record.acknowledged(self._case.incident, act, workflow.now()))
        self._life.pager.acknowledge()
        return self._case.incident

    @workflow.update
    def snooze(self, act: Snooze) -> Incident:
        """Nobody is called for a while."""
        self._case.become(record.snoozed(self._case.incident, act, workflow.now()))
        return self._case.incident

    @workflow.update
    def reassign(self, act: Reassignment) -> Incident:
        """Somebody else is told now, and has to acknowledge."""
        self._case.become(record.reassigned(self._case.incident, act, workflow.now()))
        return self._case.incident

    @workflow.update
    def resolve(self, resolution: Resolution) -> Incident:
        """A person ends the incident."""
        self._resolve(resolution.by, resolution.reason)
        return self._case.incident

    @resolve.validator
    def _refuse_a_second_end(self, resolution: Resolution) -> None:
        self._refuse_if_resolved()

    @snooze.validator
    def _refuse_a_snooze_after_the_end(self, act: Snooze) -> None:
        self._refuse_if_resolved()

    @reassign.validator
    def _refuse_an_assignee_after_the_end(self, act: Reassignment) -> None:
        self._refuse_if_resolved()

    @acknowledge.validator
    def _refuse_a_second_acknowledgement(self, act: Acknowledgement) -> None:
        self._refuse_if_resolved()
        known = self._case.incident
        if known.state is IncidentState.ACKNOWLEDGED:
            raise final(
                ErrorType.INCIDENT_ACKNOWLEDGED,
                f"incident {known.id!r} was acknowledged by {known.acknowledged_by!r} "
                f"at {known.acknowledged_at:%Y-%m-%d %H:%M:%S} UTC",
            )

    def _refuse_if_resolved(self) -> None:
        known = self._case.incident
        if self._case.resolved:
            raise final(
                ErrorType.INCIDENT_RESOLVED,
                f"incident {known.id!r} was resolved by {known.resolved_by!r} "
                f"at {known.resolved_at:%Y-%m-%d %H:%M:%S} UTC",
            )

    @workflow.query
    def incident(self) -> Incident:
        return self._case.incident

    def _resolve(self, by: str, why: str) -> None:
        self._case.become(record.resolved(self._case.incident, by=by, why=why, at=workflow.now()))
