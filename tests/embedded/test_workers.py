"""Worker processes, as tests use them and as the embedded stack starts them."""

import asyncio
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from surefoot.embedded.processes import ChildDied
from surefoot.embedded.stack import Stack
from surefoot.settings import Settings
from tests.support.descendants import alive
from tests.support.waiting import until
from tests.support.workers import as_variables, worker_process


async def pollers(client: Client, task_queue: str) -> set[int]:
    """The processes that ask for workflow tasks of this queue."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    answer = await client.workflow_service.describe_task_queue(request)
    return {int(poller.identity.partition("@")[0]) for poller in answer.pollers}


async def test_a_tests_worker_polls_the_tests_queue_until_it_is_killed(
    settings: Settings, temporal_client: Client
) -> None:
    async with worker_process(settings) as worker:
        polling = await until(lambda: pollers(temporal_client, settings.task_queue))
        assert polling == {worker.pid}
        worker.kill()
        assert "was ended by SIGKILL" in str(await worker.death())


async def test_settings_survive_the_way_through_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in as_variables(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


async def test_a_stacks_worker_serves_until_it_is_killed_and_nobody_calls_that_a_death(
    tmp_path: Path, redis_url: str, temporal_address: str, task_queue: str
) -> None:
    given = {"REDIS_URL": redis_url, "TEMPORAL_ADDRESS": temporal_address, "SUREFOOT_TASK_QUEUE": task_queue}
    async with Stack(tmp_path, given=given) as stack:
        worker = await stack.start_worker()
        assert stack.workers == [worker]
        await stack.kill_worker(worker)
        assert not alive({worker.pid})
        assert stack.workers == []
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stack.watch(), 0.2)


async def test_a_worker_that_cannot_start_says_why(settings: Settings) -> None:
    with pytest.raises(ChildDied, match=r"(?s)ended with exit code 2.*SUREFOOT_MAX_ACTIVITIES"):
        async with worker_process(settings, SUREFOOT_MAX_ACTIVITIES="many"):
            pass
