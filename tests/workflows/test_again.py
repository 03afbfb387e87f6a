"""Running again: under the key, and from a turn on."""

import asyncio

import pytest
from temporalio.client import Client

from surefoot.client.again import Again
from surefoot.client.spending import Spending
from surefoot.contracts.incidents import IncidentKind
from surefoot.contracts.runs import IdempotencyStatus
from surefoot.errors import InvalidInput, NotFound, RunFailed
from surefoot.idempotency import workflow_id
from surefoot.incidents.evidence import TemporalEvidence
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.conftest import Ask
from tests.workflows.test_guards import LOOK_UP

ORDER = '[[call create_order {"product": "mug", "quantity": 3}]]'
WHY = {"by": "ann", "reason": "the shop is back"}


class Operator(Again, Spending):
    """Both at once, as the façade will have them."""


@pytest.fixture
def operator(surefoot: object, temporal_client: Client, agent_settings: Settings) -> Operator:
    return Operator(temporal_client, task_queue=agent_settings.task_queue)


async def test_a_failed_run_is_retried_with_its_own_request_and_repeats_no_effect(
    operator: Operator, simulator: SimulatorClient, ask: Ask
) -> None:
    request = ask(ORDER, "operations")
    await simulator.fault("gemini", "status", status=400, skip=1, count=1)
    with pytest.raises(RunFailed):
        await operator.run(request)
    started = await operator.retry(workflow_id(request.tenant, request.key), **WHY)
    assert started.idempotency_status is IdempotencyStatus.FRESH
    assert (await operator.result(started.run)).tools_called == ("create_order",)
    assert len(await simulator.effects("orders")) == 1
    assert (await operator.retry(started.run, **WHY)).idempotency_status is IdempotencyStatus.CACHE_HIT
    with pytest.raises(NotFound):
        await operator.retry("run:default:nothing", **WHY)


async def test_a_run_begins_anew_from_a_turn_and_repeats_no_effect(
    operator: Operator, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    started = await operator.start(ask(f"{ORDER} Thank you.", "operations"))
    first = await operator.result(started.run)
    calls = len(await simulator.calls("gemini"))

    again = await operator.reset(started.run, turn=1, reason="the price list was wrong")
    assert again.idempotency_status is IdempotencyStatus.JOINED
    second = await operator.result(again.run)
    assert (second.turns, second.tools_called) == (first.turns, first.tools_called)
    assert len(await simulator.calls("gemini")) == 2 * calls
    assert len(await simulator.effects("orders")) == 1
    evidence = await TemporalEvidence(temporal_client).of_run(started.run)
    assert "begun anew from here: the price list was wrong" in [entry.what for entry in evidence.timeline]

    await operator.reset(started.run, turn=2, reason="once more")
    await operator.result(started.run)
    assert len(await simulator.calls("gemini")) == 2 * calls + 1
    with pytest.raises(InvalidInput, match="has begun 2 turns"):
        await operator.reset(started.run, turn=9, reason="too far")


async def test_a_run_in_which_a_tool_failed_for_good_begins_anew_from_a_later_turn(
    operator: Operator, simulator: SimulatorClient, ask: Ask
) -> None:
    """The incident of the turn that is not made again was opened under the name of the first execution."""
    await simulator.fault("orders", "status", status=500)
    started = await operator.start(ask(LOOK_UP))
    first = await operator.result(started.run)
    assert IncidentKind.TOOL_FAILED in first.incidents[0]

    await operator.reset(started.run, turn=2, reason="say it in other words")
    async with asyncio.timeout(30):
        second = await operator.result(started.run)
    assert (second.turns, second.incidents) == (first.turns, first.incidents)


async def test_a_run_that_never_began_a_turn_cannot_be_reset(operator: Operator, ask: Ask) -> None:
    started = await operator.start(ask("Hello there", "no-such-profile"))
    with pytest.raises(RunFailed, match="no-such-profile"):
        await operator.result(started.run)
    with pytest.raises(InvalidInput, match="has begun no turn"):
        await operator.reset(started.run, turn=1, reason="from its beginning")


async def test_spending_is_added_up_from_histories(operator: Operator, simulator: SimulatorClient, ask: Ask) -> None:
    requests = [ask(f"{ORDER} Number {number}.", "operations") for number in range(2)]
    results = [await operator.run(request) for request in requests]
    session = requests[0].session

    async def both() -> bool:
        return len(await operator.spending(session, tenant="default")) == 2

    await until(both)
    spent = await operator.spending(session, tenant="default")
    assert sum(run.cost for run in spent) == sum(result.usage.cost_nanos for result in results)
    assert [run.answers for run in spent] == [2, 2]
