"""How a run ends when it is cancelled, runs out of time or meets what nobody expected."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from surefoot.client import SurefootClient
from surefoot.contracts.runs import RunStatus
from surefoot.errors import RunCancelled, RunFailed
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History
from tests.workflows.test_guards import told

ORDER = '[[call create_order {"product": "mug", "quantity": 1}]]'
REFUND = '[[call issue_refund {"order_id": "A-1001", "amount": "25.00", "reason": "broken"}]]'


async def test_a_cancelled_run_does_nothing_more_even_if_the_call_under_way_ends_well(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("gemini", "latency", seconds=timedelta(milliseconds=500), count=1)
    started = await surefoot.start(ask(ORDER, "operations"))
    await until(lambda: simulator.calls("gemini"))
    await surefoot.cancel(started.run)
    with pytest.raises(RunCancelled):
        await surefoot.result(started.run)
    assert await simulator.effects("orders") == []
    await history(started.run)


async def test_runs_that_wait_for_a_probe_ask_rarely(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("gemini", "status", status=500, count=1)
    await simulator.fault("gemini", "latency", seconds=timedelta(seconds=2), count=1)
    prober = await surefoot.start(ask("Hello", "brittle"))

    async def probing() -> bool:
        return len(await simulator.calls("gemini")) == 2

    await until(probing)
    waiting = await surefoot.start(ask("Hello", "brittle"))
    for run in (prober, waiting):
        assert (await surefoot.result(run.run)).text
    recorded = await history(waiting.run)
    assert len(recorded.events) < 60


async def test_a_model_that_hangs_past_the_profiles_deadline_has_failed(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("mistral", "hang")
    started = await surefoot.start(ask("Hello", "swift"))
    assert (await surefoot.result(started.run)).fell_back
    steps = (await surefoot.progress(started.run)).steps
    assert [step for step in steps if "did not finish within 0:00:01" in step.what]


async def test_a_run_that_is_out_of_time_is_no_outage_of_its_model(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("gemini", "hang")
    with pytest.raises(RunFailed) as failed:
        await surefoot.run(ask("Hello", "hasty"))
    assert failed.value.failure is not None
    assert not [incident for incident in failed.value.failure.partial.incidents if "model_outage" in incident]


async def test_a_refund_that_there_is_no_time_to_ask_about_is_not_known(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("refunds", "apply_then_lose", operation="issue_refund", count=1)
    started = await surefoot.start(ask(REFUND, "swift"))
    result = await surefoot.result(started.run)
    assert len(await simulator.effects("refunds")) == 1
    assert "not known whether" in (await told(surefoot, started.run))[0]
    assert [incident for incident in result.incidents if "outcome_unknown" in incident]
    await history(started.run)


async def test_arguments_in_any_script_are_shown_within_temporals_limits(
    surefoot: SurefootClient, ask: Ask, unique: str
) -> None:
    product = "緑茶のマグカップ" * 20
    order = f'[[call create_order {{"product": "{product}", "quantity": 1}}]]'
    result = await surefoot.run(ask(order, "operations", session=f"{unique}{'茶' * 240}"))
    assert result.tools_called == ("create_order",)


async def test_a_check_that_fails_for_an_unforeseen_reason_ends_the_run(
    surefoot: SurefootClient, redis_url: str, prefix: str, ask: Ask
) -> None:
    request = ask("Hello", "operations")
    async with Redis.from_url(redis_url) as redis:
        await redis.set(f"{prefix}:budget:{{default}}:session:{request.session}:forever", "not the books")
    with pytest.raises(RunFailed, match="WRONGTYPE"):
        await surefoot.run(request)


async def test_a_failed_run_says_so_when_asked_for_its_progress(surefoot: SurefootClient, ask: Ask) -> None:
    started = await surefoot.start(ask("[[empty]] [[empty]] [[empty]]"))
    with pytest.raises(RunFailed):
        await surefoot.result(started.run)
    assert (await surefoot.progress(started.run)).result.status is RunStatus.FAILED
