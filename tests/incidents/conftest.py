"""A worker that keeps incidents, beside the guards' state as a test wants it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from activities.incidents import IncidentActivities
from activities.notifications import NotificationActivities
from activities.post_incident import PostIncidentActivities
from activities.triage import TriageActivities
from activities.watching import WatchActivities
from surefoot.incidents import oncall
from surefoot.incidents.evidence import TemporalEvidence
from surefoot.incidents.oncall import OnCall
from surefoot.incidents.runs import TemporalRuns
from surefoot.incidents.shelf import Shelf
from surefoot.incidents.triage import Triage
from surefoot.ports import GuardOffice
from tests.incidents.office import PlainOffice
from tests.incidents.parents import EndlessRun, FailingRun, LongRun, MendingRun, TellingRun, check, create_order
from tests.incidents.sinks import Sinks
from workflows.failure_handler import FailureHandlerWorkflow
from workflows.sandbox import runner

WORKFLOWS = (FailureHandlerWorkflow, TellingRun, MendingRun, FailingRun, LongRun, EndlessRun)
Replay = Callable[[WorkflowHistory], Awaitable[None]]


@asynccontextmanager
async def serving(
    client: Client,
    task_queue: str,
    *,
    sinks: Sinks | None = None,
    policy: OnCall | None = None,
    office: GuardOffice | None = None,
    shelf: Shelf | None = None,
    quick: bool = False,
    activities: bool = True,
) -> AsyncIterator[Worker]:
    """A worker that keeps incidents. ``quick`` lets a test change what ``workflows.policies`` holds.

    Without ``activities`` it decides and does nothing.
    """
    channels = Sinks() if sinks is None else sinks
    guards, runs = office or PlainOffice(), TemporalRuns(client, task_queue=task_queue)
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=[
            TriageActivities(Triage(policy or oncall.load(), channels, lambda id: None)).triage,
            NotificationActivities(channels).send,
            IncidentActivities(TemporalEvidence(client), guards, shelf=shelf).compose,
            WatchActivities(guards, runs).watch,
            PostIncidentActivities(runs, shelf).close,
            create_order,
            check,
        ]
        if activities
        else [],
        workflow_runner=UnsandboxedWorkflowRunner() if quick else runner(),
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
