"""Asks a model about an incident, after the page and the runbook, and goes on without whatever it says."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.enrichment import EnrichmentActivities
from surefoot.contracts.enrichment import EnrichRequest
from surefoot.incidents import record
from surefoot.incidents.markdown import clean
from workflows import policies
from workflows.case import Case


async def enrich(case: Case) -> None:
    """Three events, once, where the plan says so."""
    incident = case.incident
    if not (incident.plan and incident.plan.enrich and incident.runbook) or case.resolved:
        return
    try:
        hint = await workflow.execute_activity_method(
            EnrichmentActivities.enrich,
            EnrichRequest(
                incident_id=incident.id,
                report=incident.report,
                evidence=incident.runbook.evidence,
                occurrences=incident.occurrences,
            ),
            start_to_close_timeout=policies.ENRICH_TIMEOUT,
            schedule_to_close_timeout=policies.ENRICH_WINDOW,
            retry_policy=policies.ONCE,
            summary="asks a model for a hint",
        )
    except ActivityError as error:
        why = clean(str(error.cause or error))
        case.become(record.noted(case.incident, workflow.now(), "has no hint of a model", why))
    else:
        if hint:
            case.become(record.enriched(case.incident, hint))
