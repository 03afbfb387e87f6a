"""A worker that keeps incidents, beside the guards' state as a test wants it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, Worker

from activities.incidents import IncidentActivities
from surefoot.incidents.evidence import TemporalEvidence
from tests.incidents.office import PlainOffice
from tests.incidents.parents import FailingRun, LongRun, MendingRun, TellingRun, check, create_order
from workflows.failure_handler import FailureHandlerWorkflow
from workflows.sandbox import runner

WORKFLOWS = (FailureHandlerWorkflow, TellingRun, MendingRun, FailingRun, LongRun)
Replay = Callable[[WorkflowHistory], Awaitable[None]]


@asynccontextmanager
async def serving(client: Client, task_queue: str) -> AsyncIterator[Worker]:
    """A worker that composes runbooks."""
    incidents = IncidentActivities(TemporalEvidence(client), PlainOffice())
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=[incidents.compose, create_order, check],
        workflow_runner=runner(),
    ) as running:
        yield running


@pytest.fixture
async def worker(temporal_client: Client, task_queue: str) -> AsyncIterator[Worker]:
    async with serving(temporal_client, task_queue) as running:
        yield running


@pytest.fixture(scope="session")
def replay() -> Replay:
    """Replays a history against the workflows as they are; raises where they would decide otherwise."""
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=runner(), data_converter=pydantic_data_converter)

    async def replayed(history: WorkflowHistory) -> None:
        await replayer.replay_workflow(history)

    return replayed
