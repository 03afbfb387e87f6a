"""Reading incidents and ending them."""

from datetime import UTC, datetime

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from surefoot.client import SurefootClient
from surefoot.contracts.incidents import IncidentKind, IncidentReport, IncidentState, Resolution
from surefoot.contracts.runs import RunRequest
from surefoot.errors import InvalidInput, NotFound

REPORT = IncidentReport(
    kind=IncidentKind.BREAKER_OPEN,
    tenant="default",
    subject="create_order",
    episode="1",
    run_id="run:default:k",
    summary="5 of 5 calls failed",
    at=datetime(2026, 1, 1, tzinfo=UTC),
)


async def test_an_incident_is_read_and_resolved_once(
    client: SurefootClient, temporal_client: Client, worker: Worker, task_queue: str, unique: str
) -> None:
    id = f"incident-{unique}"
    await temporal_client.start_workflow("FailureHandlerWorkflow", REPORT, id=id, task_queue=task_queue)
    assert (await client.incident(id)).report == REPORT
    resolved = await client.resolve(id, Resolution(by="ann", reason="fixed the shop"))
    assert (resolved.state, resolved.resolved_by) == (IncidentState.RESOLVED, "ann")
    with pytest.raises(InvalidInput, match="was resolved by 'ann'"):
        await client.resolve(id, Resolution(by="bob", reason="again"))
    assert (await client.incident(id)).resolved_why == "fixed the shop"


async def test_a_run_is_no_incident(client: SurefootClient, worker: Worker, unique: str) -> None:
    started = await client.start(RunRequest(prompt="wait", profile="support", session="s", key=unique, tenant="t"))
    with pytest.raises(NotFound, match="incidents list"):
        await client.incident(started.run)
    with pytest.raises(NotFound, match="incidents list"):
        await client.resolve(started.run, Resolution(by="ann", reason="mistaken"))


async def test_an_unknown_incident_is_not_found(client: SurefootClient) -> None:
    with pytest.raises(NotFound, match="'incident-none'"):
        await client.incident("incident-none")
