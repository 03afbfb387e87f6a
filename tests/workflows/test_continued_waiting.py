"""A run with a long history that waits for people goes on in a new one, and nobody has to decide twice."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory

from surefoot.client import SurefootClient
from surefoot.contracts.approvals import ApprovalOutcome, ApprovalRequest, Verdict
from surefoot.contracts.conversation import ToolMessage
from surefoot.contracts.runs import Phase, RunStatus
from surefoot.errors import InvalidInput, RunCancelled
from surefoot.idempotency import approval_id
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.at_length import library, page
from tests.workflows.conftest import Ask
from tests.workflows.test_approvals import decision
from tests.workflows.test_continued import histories
from workflows.agent import AgentWorkflow
from workflows.carried import Carried, RunInput

READS = 32
"""Pages read in one turn: three events each, and a history of a hundred is long."""


@pytest.fixture
async def archive(settings: Settings, temporal_client: Client) -> AsyncIterator[SurefootClient]:
    async with library(settings, temporal_client) as surefoot:
        yield surefoot


def order(product: str) -> str:
    return f'create_order {{"product": "{product}", "quantity": 1}}'


def reads(first: int = 1, count: int = READS) -> str:
    return " ".join(f'read_page {{"page": {number}, "size": 100}}' for number in range(first, first + count))


async def asked_anew(surefoot: SurefootClient, run: str, *, histories: int = 2) -> tuple[ApprovalRequest, ...]:
    """What is open once the run has gone on in a new history, and waits there."""

    async def waiting() -> tuple[ApprovalRequest, ...]:
        if await executions(surefoot, run) != histories:
            return ()  # it waited in the one before, too
        progress = await surefoot.progress(run)
        assert progress.phase is not Phase.ENDED
        return progress.approvals if progress.phase is Phase.WAITING_FOR_APPROVAL else ()

    return await until(waiting)


async def executions(surefoot: SurefootClient, run: str) -> int:
    count, execution = 0, (await surefoot.temporal.get_workflow_handle(run).describe()).run_id
    while execution:
        count += 1
        handle = surefoot.temporal.get_workflow_handle(run, run_id=execution)
        first = await anext(aiter(handle.fetch_history_events(page_size=1)))
        execution = first.workflow_execution_started_event_attributes.continued_execution_run_id
    return count


def timers(recorded: WorkflowHistory) -> Iterator[timedelta]:
    for event in recorded.events:
        if event.HasField("timer_started_event_attributes"):
            yield event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()


async def results(surefoot: SurefootClient, run: str) -> list[str]:
    """What the model was told of its calls, in order."""
    said = (await surefoot.conversation(run)).messages
    return [one.content for one in said if isinstance(one, ToolMessage)]


async def test_an_open_approval_is_the_same_in_the_new_history(
    archive: SurefootClient, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    request = ask(f"[[parallel {order('mug')} {reads()}]]", "committee")
    started = await archive.start(request)
    (asked,) = await asked_anew(archive, started.run)
    assert asked.id == approval_id("create_order", asked.arguments, asked.effect_key, 1)
    listed = (await archive.approvals()).approvals
    assert [one.request for one in listed if one.run == started.run] == [asked]
    outcome = await archive.decide(started.run, decision(asked, Verdict.APPROVE))
    result = await archive.result(started.run)

    assert outcome.request_id == asked.id
    assert [effect.key for effect in await simulator.effects("orders")] == [asked.effect_key]
    told = await results(archive, started.run)
    assert "mug" in told[0]
    assert told[1:] == [page(number, 100) for number in range(1, READS + 1)]
    assert (result.turns, len(result.tools_called)) == (2, READS + 1)
    newest, first = await histories(temporal_client, started.run)
    assert next(timers(first)) == asked.expires_at - asked.asked_at
    begun = newest.events[2].event_time.ToDatetime(UTC)
    assert abs(begun + next(timers(newest)) - asked.expires_at) < timedelta(milliseconds=1)


async def test_an_approval_expires_when_it_was_said_to_however_many_histories_it_waited_in(
    archive: SurefootClient, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    run = (await archive.start(ask(f"[[parallel {order('mug')} {reads()}]] Thanks.", "unattended"))).run
    result = await archive.result(run)
    told = await results(archive, run)
    assert told[0].startswith("Nobody approved this call within 0:00:03")
    assert [incident for incident in result.incidents if "approval_expired" in incident] == list(result.incidents)
    assert len(result.incidents) == 1
    assert await simulator.effects("orders") == []
    newest, _ = await histories(temporal_client, run)
    assert next(timers(newest)) < timedelta(seconds=3)


async def test_calls_made_one_after_another_stay_in_their_order(
    archive: SurefootClient, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    script = f"[[parallel {reads(count=18)} {order('mug')} {reads(19, 1)} {order('cup')}]]"
    started = await archive.start(ask(script, "orderly"))
    (mug,) = await asked_anew(archive, started.run)
    assert mug.arguments["product"] == "mug"
    await archive.decide(started.run, decision(mug, Verdict.REJECT, feedback="No mugs."))
    (cup,) = await until(lambda: beside(archive, started.run, mug))
    await archive.decide(started.run, decision(cup, Verdict.APPROVE, arguments={"product": "cup", "quantity": 2}))
    result = await archive.result(started.run)

    told = await results(archive, started.run)
    assert told[:18] + told[19:20] == [page(number, 100) for number in range(1, 20)]
    assert "No mugs." in told[18]
    assert [effect.body for effect in await simulator.effects("orders")] == [{"product": "cup", "quantity": 2}]
    assert result.tools_called == (*("read_page",) * 19, "create_order")
    assert len(await histories(temporal_client, started.run)) == 2


async def beside(surefoot: SurefootClient, run: str, known: ApprovalRequest) -> tuple[ApprovalRequest, ...]:
    return tuple(one for one in (await surefoot.progress(run)).approvals if one.id != known.id)


async def test_decisions_that_arrive_while_it_goes_on_are_taken_once_each(
    archive: SurefootClient, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    wanted = [f"mug {number}" for number in range(24)]
    started = await archive.start(ask(f"[[parallel {' '.join(map(order, wanted))}]]", "committee"))

    async def all_of_them() -> tuple[ApprovalRequest, ...]:
        found = (await archive.progress(started.run)).approvals
        return found if len(found) == len(wanted) else ()

    asked = list(await until(all_of_them))
    stale = decision(asked[0].model_copy(update={"id": "0000000000000000"}), Verdict.APPROVE)
    outcomes: list[ApprovalOutcome] = []

    async def decide() -> None:
        while asked:
            outcomes.append(await archive.decide(started.run, decision(asked.pop(0), Verdict.APPROVE)))

    async def mistake() -> None:
        while asked:
            with pytest.raises(InvalidInput, match="no open approval"):
                await archive.decide(started.run, stale)

    await asyncio.gather(decide(), decide(), decide(), mistake())
    result = await archive.result(started.run)

    assert len({outcome.request_id for outcome in outcomes}) == len(outcomes) == len(wanted)
    assert result.tools_called == ("create_order",) * len(wanted)
    orders = await simulator.effects("orders")
    assert sorted(str(effect.body["product"]) for effect in orders) == sorted(wanted)
    assert len(await histories(temporal_client, started.run)) > 1


async def test_a_run_that_waits_in_a_new_history_can_be_cancelled(
    archive: SurefootClient, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    started = await archive.start(ask(f"[[parallel {order('mug')} {reads()}]]", "committee"))
    await asked_anew(archive, started.run)
    await archive.cancel(started.run)
    with pytest.raises(RunCancelled):
        await archive.result(started.run)
    assert await simulator.effects("orders") == []
    view = await archive.describe(started.run)
    assert (view.status, view.waiting) == (RunStatus.CANCELLED, None)
    assert len(await histories(temporal_client, started.run)) == 2


async def test_a_decision_that_was_taken_as_the_history_ended_is_acted_on_in_the_next(
    archive: SurefootClient, temporal_client: Client, simulator: SimulatorClient, ask: Ask, task_queue: str
) -> None:
    started = await archive.start(ask(f"[[parallel {order('mug')} {order('cup')} {reads()}]]", "committee"))
    mug, cup = await asked_anew(archive, started.run)
    await archive.cancel(started.run)
    newest, _ = await histories(temporal_client, started.run)
    carried = await left(temporal_client, newest)
    assert carried.turn is not None
    since, asked = carried.turn.waiting_since - timedelta(hours=9), carried.turn.asked
    decided = asked[0].model_copy(update={"decision": decision(mug, Verdict.APPROVE)})
    turn = carried.turn.model_copy(update={"asked": (decided, asked[1]), "waiting_since": since})
    later = carried.model_copy(update={"turn": turn, "started": since - timedelta(minutes=1)})
    input = RunInput.model_validate({**ask("Nine hours later.", "committee").model_dump(), "carried": later})
    run = f"{started.run}-later"
    handle = await temporal_client.start_workflow(AgentWorkflow.run, input, id=run, task_queue=task_queue)

    async def only_the_cup() -> bool:
        return (await archive.progress(run)).approvals == (cup,)

    await until(only_the_cup)
    await archive.decide(run, decision(cup, Verdict.REJECT))
    result = await handle.result()  # its deadline is five minutes, and people took nine hours
    assert result.tools_called == (*("read_page",) * READS, "create_order")
    assert [effect.key for effect in await simulator.effects("orders")] == [mug.effect_key]
    await histories(temporal_client, run)


async def left(client: Client, recorded: WorkflowHistory) -> Carried:
    """What the history before this one has left to it."""
    payloads = recorded.events[0].workflow_execution_started_event_attributes.input.payloads
    found = RunInput.model_validate((await client.data_converter.decode(payloads, [RunInput]))[0])
    assert found.carried is not None
    return found.carried


async def test_a_turn_that_began_in_the_history_before_can_be_begun_anew(
    archive: SurefootClient, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    started = await archive.start(ask(f"[[parallel {order('mug')} {reads()}]]", "committee"))
    (asked,) = await asked_anew(archive, started.run)
    waited_in = (await temporal_client.get_workflow_handle(started.run).describe()).run_id
    await archive.reset(started.run, turn=1, reason="the prices were wrong")
    left_behind = temporal_client.get_workflow_handle(started.run, run_id=waited_in)
    assert (await left_behind.describe()).status is WorkflowExecutionStatus.TERMINATED
    (again,) = await asked_anew(archive, started.run)
    assert (again.id, again.effect_key) == (asked.id, asked.effect_key)
    assert again.asked_at > asked.asked_at
    await archive.decide(started.run, decision(again, Verdict.APPROVE))
    assert (await archive.result(started.run)).turns == 2
    assert len(await simulator.effects("orders")) == 1


async def test_more_open_approvals_than_a_history_should_have_events_make_one_history_a_decision_at_most(
    archive: SurefootClient, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    wanted = 110
    script = " ".join(order(f"mug {number}") for number in range(wanted))
    started = await archive.start(ask(f"[[parallel {script}]]", "committee"))
    handle = temporal_client.get_workflow_handle(started.run)
    first = (await handle.describe()).run_id

    async def went_on() -> bool:
        return (await handle.describe()).run_id != first

    for decided in range(3):

        async def all_others(left: int = wanted - decided) -> tuple[ApprovalRequest, ...]:
            found = (await archive.progress(started.run)).approvals
            return found if len(found) == left else ()

        asked = await until(all_others)
        await archive.decide(started.run, decision(asked[-1], Verdict.APPROVE))
    await until(lambda: ordered(simulator, 3))
    await until(went_on)  # a call whose effect is there may still be in flight
    assert len((await archive.progress(started.run)).approvals) == wanted - 3
    await archive.cancel(started.run)
    with pytest.raises(RunCancelled):
        await archive.result(started.run)
    assert 1 < len(await histories(temporal_client, started.run)) <= 4


async def ordered(simulator: SimulatorClient, count: int) -> bool:
    return len(await simulator.effects("orders")) == count
