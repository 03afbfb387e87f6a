"""How a run tells of a failure: it starts the incident, or signals the one that is already open."""

from collections.abc import Awaitable
from enum import StrEnum

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from surefoot import attributes
from surefoot.contracts.incidents import Incident, IncidentReport, Recovery
from surefoot.idempotency import incident_id
from surefoot.incidents import record
from workflows import policies
from workflows.failure_handler import FailureHandlerWorkflow

SUMMARY_BYTES = 200
"""The longest summary of a workflow that Temporal promises to take."""


class Told(StrEnum):
    """What became of a message to an incident."""

    STARTED = "started"
    SIGNALLED = "signalled"
    LATE = "late"
    """The incident is over, or takes no more signals: the message changes nothing."""


async def tell(report: IncidentReport) -> Told:
    """Open the incident of this episode, or add an occurrence to it. Fails on nothing but a cancellation.

    Returns once the child has started or the signal has arrived, and must be awaited before the run closes: a child
    whose start is not awaited is lost, even when abandoned.
    """
    incident = incident_id(report)
    try:
        await workflow.start_child_workflow(
            FailureHandlerWorkflow.run,
            report,
            id=incident,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            task_timeout=policies.INCIDENT_TASK_TIMEOUT,
            search_attributes=_found_by(record.opened(incident, report)),
            static_summary=_line(report),
        )
    except WorkflowAlreadyStartedError:
        open_incident = workflow.get_external_workflow_handle_for(FailureHandlerWorkflow.run, incident)
        return await _delivered(incident, open_incident.signal(FailureHandlerWorkflow.occurred, report))
    return Told.STARTED


async def recovered(incident_id: str, recovery: Recovery) -> Told:
    """Tell an incident that what failed works again. Fails on nothing but a cancellation."""
    incident = workflow.get_external_workflow_handle_for(FailureHandlerWorkflow.run, incident_id)
    return await _delivered(incident_id, incident.signal(FailureHandlerWorkflow.recovered, recovery))


async def _delivered(incident: str, signal: Awaitable[None]) -> Told:
    try:
        await signal
    except ApplicationError as error:
        # Not found means that it is over; the only other cause is the server's limit of signals to one run.
        workflow.logger.info("Incident %s was told too late: %s", incident, error.type)
        return Told.LATE
    return Told.SIGNALLED


def _found_by(incident: Incident) -> TypedSearchAttributes:
    pairs = attributes.of_incident(incident).items()
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in pairs])


def _line(report: IncidentReport) -> str:
    return f"{report.kind} {report.subject}".encode()[:SUMMARY_BYTES].decode(errors="ignore")
