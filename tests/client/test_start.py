"""The same key is the same run, however often and from wherever it is started."""

import asyncio
from collections import Counter

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from surefoot.client import SurefootClient
from surefoot.contracts.runs import IdempotencyStatus, RunStatus
from surefoot.errors import KeyReused, RunCancelled, RunFailed
from surefoot.idempotency import workflow_id
from tests.client.conftest import Ask


async def test_a_new_key_starts_a_fresh_run(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    result = await client.run(ask("say hello"))
    assert (result.text, result.idempotency_status) == ("hello", IdempotencyStatus.FRESH)


async def test_a_key_whose_run_is_under_way_joins_it(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    first, second = await client.start(ask("wait")), await client.start(ask("wait"))
    assert first.idempotency_status is IdempotencyStatus.FRESH
    assert second == first.model_copy(update={"idempotency_status": IdempotencyStatus.JOINED})


async def test_a_key_whose_run_completed_gives_its_result(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    await client.run(ask("say once"))
    again = await client.start(ask("say once"))
    assert again.idempotency_status is IdempotencyStatus.CACHE_HIT
    assert again.result is not None
    assert (again.result.text, again.result.idempotency_status) == ("once", IdempotencyStatus.CACHE_HIT)


@pytest.mark.parametrize("earlier", ["say one", "wait", "fail"])
async def test_a_key_with_another_payload_is_refused(
    client: SurefootClient, worker: Worker, ask: Ask, earlier: str
) -> None:
    started = await client.start(ask(earlier))
    if earlier != "wait":
        await asyncio.wait([asyncio.ensure_future(client.result(started.run))])
    with pytest.raises(KeyReused, match="another prompt"):
        await client.start(ask("say two"))


async def test_the_same_key_of_another_tenant_is_another_run(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    await client.run(ask("say ours"))
    theirs = await client.run(ask("say theirs", tenant="rival"))
    assert (theirs.text, theirs.idempotency_status) == ("theirs", IdempotencyStatus.FRESH)


async def test_a_key_whose_run_failed_may_be_run_again(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    for _ in range(2):
        started = await client.start(ask("fail"))
        assert started.idempotency_status is IdempotencyStatus.FRESH
        with pytest.raises(RunFailed):
            await client.result(started.run)


async def test_a_key_whose_run_was_cancelled_may_be_run_again(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    run = (await client.start(ask("wait"))).run
    await client.cancel(run)
    with pytest.raises(RunCancelled):
        await client.result(run)
    assert (await client.start(ask("wait"))).idempotency_status is IdempotencyStatus.FRESH
    assert (await client.describe(run)).status is RunStatus.RUNNING


async def test_a_key_whose_run_was_terminated_may_be_run_again(
    client: SurefootClient, temporal_client: Client, worker: Worker, ask: Ask
) -> None:
    run = (await client.start(ask("wait"))).run
    await temporal_client.get_workflow_handle(run).terminate()
    with pytest.raises(RunFailed, match="without an answer"):
        await client.result(run)
    assert (await client.start(ask("wait"))).idempotency_status is IdempotencyStatus.FRESH


async def test_twenty_starts_of_one_key_at_once_are_one_run(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    started = await asyncio.gather(*(client.start(ask("wait")) for _ in range(20)))
    assert Counter(one.idempotency_status.value for one in started) == {"fresh": 1, "joined": 19}
    assert len({one.run for one in started}) == 1


async def test_twenty_starts_of_a_failed_key_at_once_are_one_new_run(
    client: SurefootClient, temporal_client: Client, worker: Worker, ask: Ask
) -> None:
    run = (await client.start(ask("wait"))).run
    await temporal_client.get_workflow_handle(run).terminate()
    started = await asyncio.gather(*(client.start(ask("wait")) for _ in range(20)))
    assert Counter(one.idempotency_status.value for one in started) == {"fresh": 1, "joined": 19}


async def test_a_workflow_that_is_no_run_of_ours_does_not_pass_for_one(
    client: SurefootClient, temporal_client: Client, ask: Ask, task_queue: str
) -> None:
    request = ask("say hello")
    await temporal_client.start_workflow("Other", id=workflow_id("default", request.key), task_queue=task_queue)
    with pytest.raises(KeyReused):
        await client.start(request)
