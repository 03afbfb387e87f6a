"""A client beside a worker that plays the runs, and keeps incidents."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from surefoot.client import SurefootClient
from surefoot.contracts.runs import RunRequest
from tests.client.standin import StandInRun
from workflows.failure_handler import FailureHandlerWorkflow
from workflows.sandbox import runner

Ask = Callable[..., RunRequest]


@pytest.fixture
def client(temporal_client: Client, task_queue: str) -> SurefootClient:
    return SurefootClient(temporal_client, task_queue=task_queue)


@pytest.fixture
def hasty(temporal_client: Client, task_queue: str) -> SurefootClient:
    """One that gives up soon where no worker answers."""
    return SurefootClient(temporal_client, task_queue=task_queue, answer_within=timedelta(milliseconds=500))


@pytest.fixture
async def worker(temporal_client: Client, task_queue: str) -> AsyncIterator[Worker]:
    async with Worker(
        temporal_client, task_queue=task_queue, workflows=[StandInRun, FailureHandlerWorkflow], workflow_runner=runner()
    ) as running:
        yield running


@pytest.fixture
def ask(unique: str) -> Ask:
    """Makes a request whose key no other test has."""

    def make(prompt: str, key: str = "k", **more: str) -> RunRequest:
        return RunRequest(prompt=prompt, key=f"{key}-{unique}", profile="support", **{"session": f"s-{unique}", **more})

    return make
