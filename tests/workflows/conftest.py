"""A worker for each test, on the session's servers, with the shipped profiles at short times."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from surefoot.client import SurefootClient
from surefoot.contracts.runs import RunRequest
from surefoot.reliability.guards import RedisGuards
from surefoot.settings import Settings
from surefoot.tools.registry import ToolRegistry
from worker import WORKFLOWS, composed
from workflows.sandbox import runner

AGENTS = Path(__file__).parent / "agents"


class Ask(Protocol):
    def __call__(self, prompt: str, profile: str = ..., **given: Any) -> RunRequest: ...  # noqa: ANN401


@pytest.fixture
def ask(unique: str) -> Ask:
    """A request with a key and a session of its own, unless they are given."""

    def request(prompt: str, profile: str = "support", **given: Any) -> RunRequest:  # noqa: ANN401
        return RunRequest.model_validate(
            {"prompt": prompt, "profile": profile, "key": uuid.uuid4().hex, "session": f"s-{unique}", **given}
        )

    return request


@pytest.fixture
def agent_settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"agents_dir": AGENTS})


@pytest.fixture
async def surefoot(agent_settings: Settings, temporal_client: Client) -> AsyncIterator[SurefootClient]:
    """The client's façade, with a worker in this process that serves it."""
    async with composed(agent_settings, temporal_client) as worker, worker:
        yield SurefootClient(temporal_client, task_queue=agent_settings.task_queue)


@pytest.fixture
def history(temporal_client: Client) -> Callable[[str], Awaitable[WorkflowHistory]]:
    """Fetch a run's history, and hold that it replays."""

    async def replayed(run: str) -> WorkflowHistory:
        recorded = await temporal_client.get_workflow_handle(run).fetch_history()
        replayer = Replayer(
            workflows=WORKFLOWS,
            workflow_runner=runner(),
            data_converter=temporal_client.data_converter,
            namespace=temporal_client.namespace,  # part of every effect key
        )
        await replayer.replay_workflow(recorded)
        return recorded

    return replayed


@pytest.fixture
async def guards(redis_url: str, prefix: str) -> AsyncIterator[RedisGuards]:
    found = RedisGuards.connect(redis_url, prefix=prefix, timeout=timedelta(seconds=2))
    yield found
    await found.close()


@pytest.fixture
async def tools(settings: Settings) -> AsyncIterator[ToolRegistry]:
    registry = ToolRegistry.from_settings(settings)
    yield registry
    await registry.aclose()
