"""What the guards do for a run: breaker, budget, ledger, fallback."""

import asyncio
from datetime import timedelta

import pytest

from surefoot.client import SurefootClient
from surefoot.contracts.breakers import BreakerState
from surefoot.contracts.budgets import NANOS_PER_DOLLAR
from surefoot.contracts.conversation import ToolMessage
from surefoot.contracts.incidents import IncidentState
from surefoot.errors import RunCancelled, RunFailed
from surefoot.reliability.guards import RedisGuards
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import BROKEN, History

LOOK_UP = '[[call look_up_order {"order_id": "A-1001"}]]'
REPORT = "Write a report of 3000 words on tides."


async def told(surefoot: SurefootClient, run: str) -> list[str]:
    messages = (await surefoot.conversation(run)).messages
    return [message.content for message in messages if isinstance(message, ToolMessage)]


async def test_a_hung_back_end_opens_its_breaker_within_five_attempts_and_closes_after_one_probe(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("orders", "hang")
    runs = [await surefoot.start(ask(LOOK_UP)) for _ in range(4)]
    results = [await surefoot.result(run.run) for run in runs]

    attempts = await simulator.calls("orders")
    assert 5 <= len(attempts) <= 8  # those that were under way when the fifth failed still end
    incidents = {incident for result in results for incident in result.incidents if "breaker_open" in incident}
    assert len(incidents) == 1
    assert "tried again at" in (await told(surefoot, runs[0].run))[0]
    for run in runs:
        await history(run.run)

    await simulator.clear_faults()
    await asyncio.sleep(4.2)
    after = await surefoot.run(ask(LOOK_UP))
    assert after.tools_called == ("look_up_order",)
    incident = await surefoot.incident(incidents.pop())
    assert incident.state is IncidentState.RESOLVED


async def test_a_refund_whose_answer_is_lost_is_looked_up_and_not_repeated(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("refunds", "apply_then_lose", operation="issue_refund", count=1)
    started = await surefoot.start(ask(BROKEN))
    result = await surefoot.result(started.run)
    assert "issue_refund" in result.tools_called
    assert len(await simulator.effects("refunds")) == 1
    await history(started.run)


async def test_mail_whose_answer_is_lost_is_never_repeated_and_a_human_is_told(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("mail", "apply_then_lose", count=1)
    mail = '[[call send_email {"to": "ada@example.com", "subject": "Hello", "body": "Hello"}]]'
    started = await surefoot.start(ask(f"{mail} {mail}", "operations"))
    result = await surefoot.result(started.run)

    words = await told(surefoot, started.run)
    assert len(await simulator.effects("mail")) == 1
    assert all("not known whether" in word and "Do not repeat" in word for word in words)
    assert [incident for incident in result.incidents if "outcome_unknown" in incident]
    await history(started.run)


async def test_a_keyed_order_is_retried_with_its_key_and_placed_once(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("orders", "apply_then_lose", operation="create_order", count=2)
    result = await surefoot.run(ask('[[call create_order {"product": "mug", "quantity": 3}]]', "operations"))
    assert result.tools_called == ("create_order",)
    assert len(await simulator.effects("orders")) == 1
    assert len(await simulator.calls("orders")) == 3


async def test_a_failed_run_goes_on_under_its_key_without_repeating_what_is_done(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    request = ask('[[call create_order {"product": "mug", "quantity": 3}]] Thank you.', "operations")
    await simulator.fault("gemini", "status", status=400, skip=1, count=1)
    with pytest.raises(RunFailed):
        await surefoot.run(request)
    again = await surefoot.run(request)
    assert again.tools_called == ("create_order",)
    assert len(await simulator.effects("orders")) == 1


async def test_the_fallback_model_answers_while_the_first_is_out(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("mistral", "status", status=500)
    started = await surefoot.start(ask("Hello there"))
    result = await surefoot.result(started.run)
    assert result.fell_back
    assert result.models == ("gemini-2.5-flash",)
    assert result.usage.cost_nanos > 0
    assert any("model_outage" in incident for incident in result.incidents)
    await history(started.run)


async def test_which_model_stands_in_is_noted_once(
    surefoot: SurefootClient, guards: RedisGuards, ask: Ask, history: History
) -> None:
    await guards.breaker.force("mistral:mistral-small-2506", BreakerState.FORCED_OPEN, "test", "t")
    started = await surefoot.start(ask(LOOK_UP))
    result = await surefoot.result(started.run)
    steps = [step.what for step in (await surefoot.progress(started.run)).steps]
    assert (result.fell_back, result.turns) == (True, 2)
    assert sum("a fallback, since" in step for step in steps) == 1
    await history(started.run)


async def test_spending_downgrades_at_the_soft_line_and_stops_below_the_cap(
    surefoot: SurefootClient, ask: Ask, history: History
) -> None:
    results, failure, run = [], None, ""
    for _ in range(12):
        run = (await surefoot.start(ask(REPORT, "thrifty"))).run
        try:
            results.append(await surefoot.result(run))
        except RunFailed as error:
            failure = error
            break
    assert [result.downgraded for result in results] == sorted(result.downgraded for result in results)
    assert results[-1].downgraded
    assert failure is not None
    assert failure.type == "BudgetExhausted"
    assert failure.failure is not None
    scope = failure.failure.scope
    assert scope is not None
    spent = sum(result.usage.cost_nanos for result in results)
    assert scope.settled == spent <= scope.limit == NANOS_PER_DOLLAR // 20
    assert scope.held == 0
    assert any("budget_hard" in incident for incident in failure.failure.partial.incidents)
    await history(run)


async def test_fifty_runs_at_once_never_pass_the_cap(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    async def spent(number: int) -> int:
        try:
            return (await surefoot.run(ask(f"{REPORT} Number {number}.", "thrifty"))).usage.cost_nanos
        except RunFailed as error:
            ends.append(error.type)
            return 0

    ends: list[str] = []
    costs = await asyncio.gather(*(spent(number) for number in range(20)))
    assert set(ends) == {"BudgetExhausted"}
    assert 0 < sum(costs) <= NANOS_PER_DOLLAR // 20
    served = [call for call in await simulator.calls("gemini") if call.status == 200]
    assert len(served) == len([cost for cost in costs if cost])


async def test_cancelling_a_run_gives_back_what_it_holds(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("gemini", "hang", count=1)
    request = ask(REPORT, "thrifty")
    started = await surefoot.start(request)
    await until(lambda: simulator.calls("gemini"))
    await surefoot.cancel(started.run)
    with pytest.raises(RunCancelled):
        await surefoot.result(started.run)
    # Nothing is held now: the cancelled call was charged its bound, the rest is free at once.
    after = await surefoot.run(ask("Hello", "thrifty"))
    assert after.text
    await history(started.run)


async def test_throttling_is_waited_out_as_the_provider_asks(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("gemini", "status", status=429, retry_after=timedelta(seconds=1), count=1)
    result = await surefoot.run(ask("Hello", "operations"))
    assert result.text
    assert [call.status for call in await simulator.calls("gemini")] == [429, 200]


async def test_a_breaker_of_a_tenants_own_leaves_the_others_alone(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("orders", "status", status=500, count=5)
    await surefoot.run(ask(LOOK_UP, "tenanted", tenant="acme"))
    refused = await surefoot.start(ask(LOOK_UP, "tenanted", tenant="acme"))
    await surefoot.result(refused.run)
    other = await surefoot.run(ask(LOOK_UP, "tenanted", tenant="globex"))

    assert "tried again at" in (await told(surefoot, refused.run))[0]
    assert other.tools_called == ("look_up_order",)
    assert len(await simulator.calls("orders")) == 6
