"""What a run does while Redis is away: it waits, spends nothing, and loses nothing."""

import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis as Connection
from temporalio.client import Client, WorkflowExecutionStatus

from surefoot.client import SurefootClient
from surefoot.contracts.conversation import ToolMessage
from surefoot.contracts.incidents import Incident, IncidentKind, IncidentState
from surefoot.contracts.runs import Phase, RunRequest
from surefoot.embedded.redis import Redis
from surefoot.errors import RunFailed
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History
from worker import composed

ORDER = '[[call create_order {"product": "mug", "quantity": 2}]]'


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


async def outages(surefoot: SurefootClient, *runs: str) -> list[Incident]:
    """The incidents of outages that the runs tell of, the earlier one first."""
    told = {incident: None for run in runs for incident in (await surefoot.result(run)).incidents}
    found = [await surefoot.incident(incident) for incident in told]
    return [one for one in found if one.report.kind is IncidentKind.STORE_OUTAGE]


async def waited_out(surefoot: SurefootClient, redis: Redis, *requests: RunRequest) -> list[str]:
    """Runs that began while Redis was away."""
    freeze(redis)
    runs = [(await surefoot.start(request)).run for request in requests]
    for run in runs:
        await until(partial(is_waiting, surefoot, run))
    thaw(redis)
    for run in runs:
        await surefoot.result(run)
    return runs


async def test_an_outage_of_redis_is_one_incident_for_all_runs_and_resolves_when_it_answers(
    surefoot: SurefootClient, redis: Redis, ask: Ask, history: History
) -> None:
    runs = await waited_out(surefoot, redis, *(ask("Hello", "operations") for _ in range(3)))
    (incident,) = await outages(surefoot, *runs)
    assert incident.occurrences == 3
    assert incident.state is IncidentState.RESOLVED
    assert incident.resolved_why == "Redis answers again."
    for run in runs:
        await history(run)


async def test_the_next_outage_of_a_day_is_another_incident(surefoot: SurefootClient, redis: Redis, ask: Ask) -> None:
    first = await waited_out(surefoot, redis, ask("Hello", "operations"))
    (earlier,) = await outages(surefoot, *first)
    await until(lambda: is_closed(surefoot, earlier.id))
    second = await waited_out(surefoot, redis, ask("Hello", "operations"))
    (later,) = await outages(surefoot, *second)
    assert later.id != earlier.id
    assert "for the 2nd time today" in later.report.summary
    assert later.state is IncidentState.RESOLVED


async def is_closed(surefoot: SurefootClient, incident: str) -> bool:
    described = await surefoot.temporal.get_workflow_handle(incident).describe()
    return described.status is WorkflowExecutionStatus.COMPLETED


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
    (incident,) = await outages(surefoot, started.run)
    assert incident.occurrences == 1
    assert incident.state is IncidentState.RESOLVED
    await history(started.run)


async def test_a_worker_s_own_breaker_opens_no_incident_while_redis_is_away(
    surefoot: SurefootClient, redis: Redis, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("orders", "status", status=503)
    await simulator.fault("mistral", "latency", seconds=timedelta(milliseconds=500), count=1)
    looks = " ".join(f'look_up_order {{"order_id": "A-{1001 + number}"}}' for number in range(6))
    started = await surefoot.start(ask(f"[[parallel {looks}]]"))
    await until(lambda: simulator.calls("mistral"))
    freeze(redis)
    await until(lambda: is_waiting(surefoot, started.run))
    told = [step.what for step in (await surefoot.progress(started.run)).steps]
    thaw(redis)

    result = await surefoot.result(started.run)
    assert [step for step in told if "circuit 'look_up_order' is open" in step]
    assert [incident for incident in result.incidents if "breaker_open" in incident] == []
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
    (incident,) = await outages(surefoot, started.run)
    assert result.incidents == (incident.id,)
    assert incident.state is IncidentState.RESOLVED
    async with Connection.from_url(redis.url) as books:
        settled = await books.hget(f"{prefix}:budget:{{default}}:session:{request.session}:forever", "settled")
    assert int(settled or 0) == result.usage.cost_nanos > 0
    await history(started.run)
