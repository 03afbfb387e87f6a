"""What becomes of a run's deeds when Redis goes away, or forgets, around the calls of its tools."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis as Connection
from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.incidents import IncidentState
from surefoot.embedded.redis import Redis
from surefoot.errors import RunFailed
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History
from tests.workflows.test_guards import told
from tests.workflows.test_store_outage import freeze, is_waiting, outages, thaw
from worker import composed

ORDER = 'create_order {"product": "mug", "quantity": 2}'
MAIL = 'send_email {"to": "ada@example.com", "subject": "Hello", "body": "A word."}'
BOTH = f"[[parallel {ORDER} {MAIL}]]"


@pytest.fixture
async def surefoot(agent_settings: Settings, redis: Redis, temporal_client: Client) -> AsyncIterator[SurefootClient]:
    settings = agent_settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    async with composed(settings, temporal_client) as worker, worker:
        yield SurefootClient(temporal_client, task_queue=settings.task_queue)


async def test_mail_that_ended_unknown_is_not_sent_again_although_redis_was_wiped(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("mail", "apply_then_lose", count=1)
    await simulator.fault("gemini", "latency", seconds=timedelta(seconds=1), skip=1, count=1)
    started = await surefoot.start(ask(f"[[call {MAIL}]] [[call {MAIL}]]", "operations"))

    async def has_told_the_model() -> bool:
        return len(await simulator.calls("gemini")) == 2

    await until(has_told_the_model)
    async with Connection.from_url(redis.url) as connection:
        await connection.flushall()
    result = await surefoot.result(started.run)
    words = await told(surefoot, started.run)

    assert len(await simulator.effects("mail")) == 1
    assert result.tools_called == ()
    assert ["Do not repeat" in word for word in words] == [True, True]
    assert len([incident for incident in result.incidents if "outcome_unknown" in incident]) == 1
    await history(started.run)


async def answered_while_redis_hangs(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, started: str
) -> None:
    """Redis hangs from within the model call on, so that the deeds that it asks for cannot be claimed."""
    await until(lambda: simulator.calls("gemini"))
    freeze(redis)
    await until(lambda: is_waiting(surefoot, started))
    assert await simulator.calls("orders") == await simulator.calls("mail") == []


async def test_deeds_that_redis_kept_from_beginning_wait_on_durable_timers_and_are_done_once(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("gemini", "latency", seconds=timedelta(milliseconds=500), count=1)
    started = await surefoot.start(ask(BOTH, "operations"))
    await answered_while_redis_hangs(surefoot, redis, simulator, started.run)
    thaw(redis)
    result = await surefoot.result(started.run)
    (outage,) = await outages(surefoot, started.run)

    assert sorted(result.tools_called) == ["create_order", "send_email"]
    assert [len(await simulator.effects(target)) for target in ("orders", "mail")] == [1, 1]
    assert result.incidents == (outage.id,)
    assert outage.state is IncidentState.RESOLVED
    recorded = await history(started.run)
    assert any(event.HasField("timer_started_event_attributes") for event in recorded.events)


async def test_deeds_that_redis_keeps_from_beginning_for_too_long_end_the_run_and_are_known_not_to_be_done(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("gemini", "latency", seconds=timedelta(milliseconds=500), count=1)
    request = ask(BOTH, "storeless")
    started = await surefoot.start(request)
    await answered_while_redis_hangs(surefoot, redis, simulator, started.run)
    with pytest.raises(RunFailed, match=r"Redis was away for longer than 0:00:01\.5") as failed:
        await surefoot.result(started.run)
    thaw(redis)

    assert failed.value.type == "StoreUnavailable"
    assert failed.value.failure
    assert not [incident for incident in failed.value.failure.partial.incidents if "outcome_unknown" in incident]
    assert await simulator.calls("orders") == await simulator.calls("mail") == []
    await history(started.run)


async def test_a_refusal_that_redis_was_not_there_to_be_told_frees_its_claim_once_it_is_back(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, ask: Ask, history: History, prefix: str
) -> None:
    await simulator.fault("refunds", "latency", operation="issue_refund", seconds=timedelta(seconds=1), count=1)
    too_much = '[[call issue_refund {"order_id": "A-1001", "amount": "9999.00", "reason": "broken"}]]'
    started = await surefoot.start(ask(too_much, "patient"))
    await until(lambda: simulator.calls("refunds"))
    freeze(redis)
    await until(lambda: is_waiting(surefoot, started.run))
    thaw(redis)
    result = await surefoot.result(started.run)
    (outage,) = await outages(surefoot, started.run)
    async with Connection.from_url(redis.url, decode_responses=True) as connection:
        (key,) = [name async for name in connection.scan_iter(f"{prefix}:ledger:*")]
        state = await connection.hget(key, "state")

    assert "cannot be refunded" in (await told(surefoot, started.run))[0]
    assert state == "free"
    assert result.incidents == (outage.id,)
    await history(started.run)
