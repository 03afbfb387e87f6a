"""A run with a long history goes on in a new one, as if nothing had happened."""

import asyncio

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory
from temporalio.worker import Replayer

from surefoot.client import SurefootClient
from surefoot.client.views import RunView
from surefoot.contracts.approvals import Verdict
from surefoot.contracts.conversation import ToolMessage
from surefoot.contracts.runs import IdempotencyStatus, RunStatus
from surefoot.errors import InvalidInput, KeyReused, RunCancelled, RunFailed
from surefoot.incidents.evidence import TemporalEvidence
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.at_length import library, page, reading
from tests.workflows.conftest import Ask
from tests.workflows.test_approvals import decision, opened
from worker import WORKFLOWS
from workflows.sandbox import runner

SHORT, LONG = "sprinter", "marathon"


async def histories(client: Client, run: str) -> list[WorkflowHistory]:
    """Of each execution of the run, the newest first; all of them replay."""
    found, execution = [], (await client.get_workflow_handle(run).describe()).run_id
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=runner(),
        data_converter=client.data_converter,
        namespace=client.namespace,
    )
    while execution:
        recorded = await client.get_workflow_handle(run, run_id=execution).fetch_history()
        await replayer.replay_workflow(recorded)
        found.append(recorded)
        execution = recorded.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return found


async def test_a_run_of_300_turns_stays_within_500_events_at_a_time(
    settings: Settings, temporal_client: Client, ask: Ask
) -> None:
    request = ask(reading(299, size=500), LONG)
    async with library(settings, temporal_client) as surefoot:
        started = await surefoot.start(request)
        result = await surefoot.result(started.run)
        said = (await surefoot.conversation(started.run)).messages
        again = await surefoot.run(request)
        spent = await surefoot.spending(request.session, tenant=request.tenant)
    assert (result.status, result.turns) == (RunStatus.COMPLETED, 300)
    assert result.tools_called == ("read_page",) * 299
    assert [one.content for one in said if isinstance(one, ToolMessage)] == [page(n, 500) for n in range(1, 300)]
    assert (again.idempotency_status, again.text) == (IdempotencyStatus.CACHE_HIT, result.text)
    assert sum(one.cost for one in spent) == result.usage.cost_nanos
    found = await histories(temporal_client, started.run)
    assert len(found) >= 7
    assert max(len(recorded.events) for recorded in found) < 520


async def test_a_run_that_went_on_is_one_run_to_its_callers(
    settings: Settings, temporal_client: Client, ask: Ask
) -> None:
    request = ask(reading(20, size=100), SHORT)
    async with library(settings, temporal_client) as surefoot:
        started = await surefoot.start(request)
        waiting = asyncio.create_task(surefoot.result(started.run))
        await until(lambda: is_beyond(surefoot, started.run, 9))
        joined = await surefoot.start(request)
        with pytest.raises(KeyReused):
            await surefoot.start(request.model_copy(update={"prompt": "Something else"}))
        result = await waiting
        found = await until(lambda: listed_as_ended(surefoot, request.session))
        progress = await surefoot.progress(started.run)
    assert joined.run == started.run
    assert result.turns == progress.turn == 21
    assert [(run.run, run.status) for run in found] == [(started.run, RunStatus.COMPLETED)]
    assert len(await histories(temporal_client, started.run)) > 1
    described = await temporal_client.get_workflow_handle(started.run).describe()
    assert described.status is WorkflowExecutionStatus.COMPLETED
    assert found[0].started_at == (await surefoot.describe(started.run)).started_at < described.start_time
    assert found[0].started_at < progress.steps[0].at


async def listed_as_ended(surefoot: SurefootClient, session: str) -> tuple[RunView, ...]:
    """The session's runs, once the list, which follows its runs by a moment, shows none as running."""
    found = await surefoot.runs(session=session)
    return () if RunStatus.RUNNING in {run.status for run in found} else found


async def is_beyond(surefoot: SurefootClient, run: str, turn: int) -> bool:
    return (await surefoot.progress(run)).turn > turn


async def test_a_run_that_went_on_can_be_cancelled_and_keeps_to_its_turns(
    settings: Settings, temporal_client: Client, ask: Ask
) -> None:
    async with library(settings, temporal_client) as surefoot:
        loop = '[[loop read_page {"page": 1}]]'
        repeating = await surefoot.start(ask(f"{reading(12, size=100)} {loop}", SHORT))
        cancelled = await surefoot.start(ask(reading(200, size=100), SHORT))
        await until(lambda: is_beyond(surefoot, cancelled.run, 9))
        await surefoot.cancel(cancelled.run)
        with pytest.raises(RunCancelled):
            await surefoot.result(cancelled.run)
        with pytest.raises(RunFailed, match="asked 3 times for the same call") as failed:
            await surefoot.result(repeating.run)
    assert failed.value.failure is not None
    assert failed.value.failure.partial.turns == 15
    assert len(await histories(temporal_client, repeating.run)) > 1


async def test_a_decision_and_an_effect_before_the_new_history_are_not_taken_for_those_after_it(
    settings: Settings, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    order = '[[call create_order {"product": "mug", "quantity": 1}]]'
    async with library(settings, temporal_client) as surefoot:
        started = await surefoot.start(ask(f"{order} {reading(12, size=100)} {order}", "careful"))
        first = await opened(surefoot, started.run)
        await surefoot.decide(started.run, decision(first, Verdict.APPROVE))
        second = await opened(surefoot, started.run, beside=first.id)
        waited_in = await temporal_client.get_workflow_handle(started.run).describe()
        with pytest.raises(InvalidInput, match="no open approval"):
            await surefoot.decide(started.run, decision(first, Verdict.APPROVE))
        await surefoot.decide(started.run, decision(second, Verdict.APPROVE))
        result = await surefoot.result(started.run)
    orders = await simulator.effects("orders")
    assert result.tools_called == ("create_order", *("read_page",) * 12, "create_order")
    assert len({order.key for order in orders}) == len(orders) == 2
    assert second.arguments == first.arguments
    found = await histories(temporal_client, started.run)
    assert len(found) > 1
    assert waited_in.run_id != found[-1].run_id


async def test_a_run_that_went_on_begins_anew_from_any_of_its_turns(
    settings: Settings, temporal_client: Client, ask: Ask
) -> None:
    async with library(settings, temporal_client) as surefoot:
        started = await surefoot.start(ask(reading(20, size=100), SHORT))
        first = await surefoot.result(started.run)
        await surefoot.reset(started.run, turn=2, reason="page one was wrong")
        await until(lambda: is_beyond(surefoot, started.run, 9))
        await surefoot.cancel(started.run)
        with pytest.raises(RunCancelled):
            await surefoot.result(started.run)
        await surefoot.reset(started.run, turn=1, reason="not cancelled, but begun anew")
        again = await surefoot.result(started.run)
        with pytest.raises(InvalidInput, match="has begun 21 turns; choose one from 1 to 21"):
            await surefoot.reset(started.run, turn=22, reason="too far")
        told = (await TemporalEvidence(temporal_client).of_run(started.run)).timeline
    assert (again.turns, again.tools_called, again.text) == (first.turns, first.tools_called, first.text)
    assert told[0].what == "run started"
    assert len(await histories(temporal_client, started.run)) > 1
