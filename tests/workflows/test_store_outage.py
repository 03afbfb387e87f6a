"""What a run does while Redis is away: it waits, spends nothing, and loses nothing."""

import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis as Connection
from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.conversation import ToolMessage
from surefoot.contracts.runs import Phase
from surefoot.embedded.redis import Redis, start_redis
from surefoot.errors import RunFailed
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History
from worker import composed

ORDER = '[[call create_order {"product": "mug", "quantity": 2}]]'


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    """A server of the test's own, that it may stop."""
    server = await start_redis(log=tmp_path / "redis.log", folder=None)
    yield server
    server.child.kill()


@pytest.fixture
async def surefoot(agent_settings: Settings, redis: Redis, temporal_client: Client) -> AsyncIterator[SurefootClient]:
    settings = agent_settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    async with composed(settings, temporal_client) as worker, worker:
        yield SurefootClient(temporal_client, task_queue=settings.task_queue)


def freeze(redis: Redis) -> None:
    """Redis hangs: connections stay, answers do not come, and what was sent is done when it thaws."""
    os.kill(redis.child.pid, signal.SIGSTOP)


def thaw(redis: Redis) -> None:
    os.kill(redis.child.pid, signal.SIGCONT)


async def is_waiting(surefoot: SurefootClient, run: str) -> bool:
    return (await surefoot.progress(run)).phase is Phase.WAITING_FOR_STORE


async def test_a_run_waits_for_redis_on_durable_timers_and_then_completes(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    freeze(redis)
    started = await surefoot.start(ask(ORDER, "operations"))
    await until(lambda: is_waiting(surefoot, started.run))
    assert await simulator.calls() == []  # nothing is spent blind

    thaw(redis)
    result = await surefoot.result(started.run)
    assert result.tools_called == ("create_order",)
    assert len(await simulator.effects("orders")) == 1
    recorded = await history(started.run)
    assert any(event.HasField("timer_started_event_attributes") for event in recorded.events)


async def test_a_store_that_stays_away_ends_the_run_with_nothing_spent(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    freeze(redis)
    started = await surefoot.start(ask(ORDER, "storeless"))
    with pytest.raises(RunFailed, match=r"Redis was away for longer than 0:00:01\.5") as failed:
        await surefoot.result(started.run)
    assert failed.value.type == "StoreUnavailable"
    assert await simulator.calls() == []
    await history(started.run)


async def test_an_effect_that_redis_did_not_see_is_booked_later_and_not_repeated(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("orders", "latency", operation="create_order", seconds=timedelta(seconds=1), count=1)
    started = await surefoot.start(ask(f"{ORDER} {ORDER}", "unhurried"))
    await until(lambda: simulator.calls("orders"))
    freeze(redis)
    await until(lambda: is_waiting(surefoot, started.run))
    assert len(await simulator.effects("orders")) == 1

    thaw(redis)
    result = await surefoot.result(started.run)
    conversation = await surefoot.conversation(started.run)
    told = [message.content for message in conversation.messages if isinstance(message, ToolMessage)]
    assert result.tools_called == ("create_order", "create_order")
    assert len(await simulator.effects("orders")) == 2
    assert len(set(told)) == 2
    await history(started.run)


async def test_a_cancellation_that_comes_while_the_books_are_closed_is_too_late(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, ask: Ask, history: History, prefix: str
) -> None:
    request = ask("Hello", "operations")
    await simulator.fault("gemini", "latency", seconds=timedelta(milliseconds=500), count=1)
    started = await surefoot.start(request)
    await until(lambda: simulator.calls("gemini"))
    freeze(redis)

    async def answered() -> str:
        return (await surefoot.progress(started.run)).text

    await until(answered)
    await surefoot.cancel(started.run)
    thaw(redis)
    result = await surefoot.result(started.run)
    assert result.incidents == ()
    async with Connection.from_url(redis.url) as books:
        settled = await books.hget(f"{prefix}:budget:{{default}}:session:{request.session}:forever", "settled")
    assert int(settled or 0) == result.usage.cost_nanos > 0
    await history(started.run)
