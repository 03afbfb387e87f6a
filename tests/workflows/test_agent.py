"""The agent end to end: real workflows, real Redis, models and tools over real HTTP."""

from collections.abc import Awaitable, Callable

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

from surefoot.client import SurefootClient
from surefoot.contracts.conversation import ToolMessage
from surefoot.contracts.runs import IdempotencyStatus, Phase, RunStatus
from surefoot.errors import KeyReused, RunFailed
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.workflows.conftest import Ask
from worker import composed

History = Callable[[str], Awaitable[WorkflowHistory]]
BROKEN = "My order A-1001 arrived broken, I want my money back. ada@example.com"


async def test_a_question_with_two_look_ups_and_a_refund_is_answered(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    started = await surefoot.start(ask(BROKEN))
    result = await surefoot.result(started.run)

    assert result.status is RunStatus.COMPLETED
    assert sorted(result.tools_called[:2]) == ["look_up_customer", "look_up_order"]
    assert result.tools_called[2:] == ("issue_refund",)
    assert "A-1001" in result.text
    assert result.usage.input_tokens > 0
    assert result.usage.output_tokens > 0
    assert result.usage.cost_nanos > 0
    assert result.turns == 3
    assert [effect.operation for effect in await simulator.effects("refunds")] == ["issue_refund"]
    await history(started.run)


async def test_the_same_key_is_answered_from_the_record_and_refused_with_another_payload(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    request = ask(BROKEN)
    first = await surefoot.run(request)
    second = await surefoot.run(request)

    assert first.idempotency_status is IdempotencyStatus.FRESH
    assert second.idempotency_status is IdempotencyStatus.CACHE_HIT
    assert second.text == first.text
    assert len(await simulator.effects("refunds")) == 1
    with pytest.raises(KeyReused):
        await surefoot.start(request.model_copy(update={"prompt": "Something else"}))


async def test_a_run_is_a_few_events_a_turn(surefoot: SurefootClient, ask: Ask, history: History) -> None:
    started = await surefoot.start(ask('[[call look_up_order {"order_id": "A-1001"}]]'))
    await surefoot.result(started.run)
    recorded = await history(started.run)

    kinds = [EventType.Name(event.event_type) for event in recorded.events]
    of_tasks = [kind for kind in kinds if "WORKFLOW_TASK" in kind]
    # Two model calls and one tool: start, profile, two checks, three activities, the end's attribute, the end.
    assert len(kinds) - len(of_tasks) == 1 + 1 + 2 + 3 * 3 + 1 + 1
    assert kinds.count("EVENT_TYPE_TIMER_STARTED") == 0


async def test_the_model_is_told_of_unknown_tools_and_bad_arguments(
    surefoot: SurefootClient, ask: Ask, history: History
) -> None:
    prompt = '[[unknown]] [[call look_up_order {"number": 7}]] [[malformed look_up_order]]'
    started = await surefoot.start(ask(prompt))
    result = await surefoot.result(started.run)
    conversation = await surefoot.conversation(started.run)

    told = [message.content for message in conversation.messages if isinstance(message, ToolMessage)]
    assert result.tools_called == ()
    assert "There is no tool 'divine_the_future'" in told[0]
    assert "order_id" in told[1]
    assert "not a JSON object" in told[2]
    await history(started.run)


async def test_an_empty_answer_is_told_to_the_model_twice_at_most(
    surefoot: SurefootClient, ask: Ask, history: History
) -> None:
    once = await surefoot.run(ask("[[empty]] Say hello."))
    assert once.text
    started = await surefoot.start(ask("[[empty]] [[empty]] [[empty]]"))
    with pytest.raises(RunFailed, match="3 times") as failed:
        await surefoot.result(started.run)
    assert failed.value.type == "ModelRefused"
    await history(started.run)


async def test_a_run_without_progress_is_stopped_with_what_it_has(
    surefoot: SurefootClient, ask: Ask, history: History
) -> None:
    started = await surefoot.start(ask('[[loop look_up_order {"order_id": "A-1001"}]]'))
    with pytest.raises(RunFailed, match="asked 3 times for the same call") as failed:
        await surefoot.result(started.run)

    assert failed.value.type == "NoProgress"
    assert failed.value.failure is not None
    assert failed.value.failure.partial.tools_called == ("look_up_order", "look_up_order")
    assert failed.value.failure.partial.usage.cost_nanos > 0
    assert any("run_failed" in incident for incident in failed.value.failure.partial.incidents)
    await history(started.run)


async def test_turns_are_capped(surefoot: SurefootClient, ask: Ask, history: History) -> None:
    calls = " ".join(f'[[call create_order {{"product": "mug", "quantity": {n}}}]]' for n in range(1, 6))
    started = await surefoot.start(ask(calls, "hasty"))
    with pytest.raises(RunFailed, match="no answer after 3 turns") as failed:
        await surefoot.result(started.run)
    assert failed.value.type == "TurnsExhausted"
    await history(started.run)


async def test_the_deadline_ends_a_run_that_hangs(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("gemini", "hang")
    started = await surefoot.start(ask("Hello", "hasty"))
    with pytest.raises(RunFailed) as failed:
        await surefoot.result(started.run)
    assert failed.value.type == "DeadlineExceeded"
    await history(started.run)


async def test_identical_calls_of_one_turn_and_of_later_turns_happen_once_each(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    mug = '{"product": "mug", "quantity": 1}'
    result = await surefoot.run(
        ask(f"[[parallel create_order {mug} create_order {mug}]] [[call create_order {mug}]]", "operations")
    )
    orders = await simulator.effects("orders")
    assert result.tools_called == ("create_order",) * 3
    assert len(orders) == 3
    assert len({order.key for order in orders}) == 3


async def test_an_unknown_profile_ends_the_run_with_its_name(surefoot: SurefootClient, ask: Ask) -> None:
    with pytest.raises(RunFailed, match="unknown profile 'nobody'") as failed:
        await surefoot.run(ask("Hello", "nobody"))
    assert failed.value.type == "InvalidProfile"


async def test_progress_tells_what_has_happened(surefoot: SurefootClient, ask: Ask) -> None:
    started = await surefoot.start(ask('[[call look_up_order {"order_id": "A-1001"}]]'))
    await surefoot.result(started.run)
    progress = await surefoot.progress(started.run)
    assert progress.phase is Phase.ENDED
    assert progress.turn == 2
    assert any("look_up_order: done" in step.what for step in progress.steps)
    assert progress.result.status is RunStatus.COMPLETED


async def test_a_tool_that_no_worker_can_reach_is_refused_at_the_start_with_its_name(
    agent_settings: Settings, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    without_orders = agent_settings.model_copy(update={"order_url": None})
    async with composed(without_orders, temporal_client) as worker, worker:
        surefoot = SurefootClient(temporal_client, task_queue=without_orders.task_queue)
        with pytest.raises(RunFailed, match=r"create_order.*ORDER_API_URL") as failed:
            await surefoot.run(ask("Order a mug.", "operations"))
    assert failed.value.type == "InvalidProfile"
    assert await simulator.calls() == []
