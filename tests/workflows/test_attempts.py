"""Single attempts of tool calls, on what an earlier one has left behind or Redis has not answered."""

import asyncio
import dataclasses
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.tools import ToolActivities
from surefoot.contracts.breakers import BreakerState
from surefoot.contracts.tools import Claim, ToolCall
from surefoot.embedded.redis import Redis
from surefoot.errors import CallFailed, detail
from surefoot.ports import Proceed
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.store import Store
from surefoot.simulator.client import SimulatorClient
from surefoot.tools.registry import ToolRegistry

SHORT = timedelta(milliseconds=1500)
PATIENCE = timedelta(seconds=1)
"""The timeout of guards whose Redis hangs for a while, and which it must answer in time after that."""
ARGUMENTS = {
    "issue_refund": {"order_id": "A-1001", "amount": "25.00", "reason": "broken"},
    "create_order": {"product": "mug", "quantity": 1},
    "send_email": {"to": "ada@example.com", "subject": "Hello", "body": "Hello"},
}


def call_of(tools: ToolRegistry, name: str, *, attempts: int) -> ToolCall:
    contract = tools[name].contract().model_copy(update={"deadline": SHORT, "attempts": attempts})
    return ToolCall(id="c", contract=contract, arguments=ARGUMENTS[name], effect_key="effect", tenant="acme")


def environment(attempt: int) -> ActivityEnvironment:
    found = ActivityEnvironment()
    found.info = dataclasses.replace(found.info, attempt=attempt)
    return found


async def died(guards: RedisGuards, call: ToolCall, *, lands_within: timedelta) -> None:
    """What an attempt leaves whose worker died in mid-call."""
    info = environment(1).info
    entry = await guards.begin_tool_call(
        tool=call.contract.name,
        breaker=call.contract.breaker,
        effect_key=call.effect_key,
        owner=f"{info.workflow_run_id}/{info.activity_id}",
        attempt=1,
        lease=timedelta(seconds=5),
        mark_sent=True,
        lands_within=lands_within,
    )
    assert isinstance(entry, Proceed)


async def unheard(count: int, sending: bool) -> None:
    """No server stands behind a single attempt."""
    activity.heartbeat(count, sending)


async def made(tools: ToolRegistry, guards: RedisGuards, call: ToolCall, attempt: int) -> object:
    activities = dict(zip(tools, ToolActivities(tools, guards, tell=unheard).activities(), strict=True))
    return await environment(attempt).run(activities[call.contract.name], call)


async def test_a_keyed_call_whose_last_attempt_died_is_not_known_to_have_failed(
    tools: ToolRegistry, guards: RedisGuards
) -> None:
    call = call_of(tools, "create_order", attempts=1)
    await died(guards, call, lands_within=timedelta(milliseconds=1))
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 2)
    assert failed.value.type == "OutcomeUnknown"


async def test_a_request_that_leaves_after_a_look_up_may_land_as_late_as_any_other(
    tools: ToolRegistry, guards: RedisGuards, simulator: SimulatorClient
) -> None:
    call = call_of(tools, "issue_refund", attempts=3)
    await died(guards, call, lands_within=timedelta(milliseconds=1))
    await asyncio.sleep(0.01)
    asking = timedelta(milliseconds=400)
    await simulator.fault("refunds", "latency", seconds=asking, count=1)
    await simulator.fault("refunds", "hang", operation="issue_refund", count=1)
    began = datetime.now(UTC)
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 2)
    assert failed.value.type == "ToolRetryable"

    shown = await guards.ledger.show(call.effect_key)
    assert shown is not None
    assert shown["attempts"] == 2
    lands = datetime.fromisoformat(str(shown["lands"]))
    assert lands >= began + asking + SHORT + timedelta(seconds=1)


@pytest.mark.parametrize(("name", "kind"), [("send_email", "OutcomeUnknown"), ("issue_refund", "ToolRetryable")])
async def test_a_call_that_redis_forgot_is_not_made_while_its_run_remembers_a_doubt(
    tools: ToolRegistry, guards: RedisGuards, simulator: SimulatorClient, name: str, kind: str
) -> None:
    call = call_of(tools, name, attempts=3).model_copy(update={"in_doubt": True})
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 1)
    assert failed.value.type == kind
    assert await simulator.calls("mail") == await simulator.calls("refunds") == []


async def test_a_circuit_that_is_open_does_not_make_a_forgotten_doubt_go_away(
    tools: ToolRegistry, guards: RedisGuards, simulator: SimulatorClient
) -> None:
    call = call_of(tools, "send_email", attempts=1).model_copy(update={"in_doubt": True})
    await guards.breaker.force("send_email", BreakerState.FORCED_OPEN, "test", "t")
    kinds = []
    for state in (BreakerState.FORCED_OPEN, BreakerState.CLOSED):
        await guards.breaker.force("send_email", state, "test", state)
        with pytest.raises(ApplicationError) as failed:
            await made(tools, guards, call, 1)
        kinds.append(failed.value.type)
    assert kinds == ["OutcomeUnknown", "OutcomeUnknown"]
    assert await simulator.calls("mail") == []


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_a_call_that_redis_did_not_let_begin_is_made_later_as_if_for_the_first_time(
    tools: ToolRegistry, redis: Redis, simulator: SimulatorClient, name: str
) -> None:
    guards = RedisGuards.connect(redis.url, prefix="test", timeout=PATIENCE)
    call = call_of(tools, name, attempts=1)
    await guards.breaker.status(name)  # connected
    os.kill(redis.child.pid, signal.SIGSTOP)
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 1)
    details = detail(failed.value, CallFailed)
    assert (failed.value.type, failed.value.non_retryable) == ("StoreUnavailable", True)
    assert details
    assert (details.unmade, details.maybe_done) == (1, False)

    os.kill(redis.child.pid, signal.SIGCONT)  # which may claim and mark what was asked for before
    await made(tools, guards, call, 1)
    claim = await guards.ledger.show(call.effect_key)
    assert claim
    assert (claim["state"], claim["fence"]) == ("done", 1)
    await guards.close()


async def test_the_store_s_absence_leaves_the_doubt_of_an_earlier_attempt(
    tools: ToolRegistry, redis: Redis, simulator: SimulatorClient
) -> None:
    guards = RedisGuards.connect(redis.url, prefix="test", timeout=PATIENCE)
    call = call_of(tools, "issue_refund", attempts=3)
    await died(guards, call, lands_within=timedelta(milliseconds=1))
    os.kill(redis.child.pid, signal.SIGSTOP)
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 2)
    details = detail(failed.value, CallFailed)
    assert details
    assert (details.unmade, details.maybe_done) == (2, True)

    os.kill(redis.child.pid, signal.SIGCONT)
    await asyncio.sleep(0.01)
    again = call.model_copy(update={"in_doubt": True, "earlier_attempts": 1})
    await made(tools, guards, again, 1)
    assert [one.operation for one in await simulator.calls("refunds")] == ["lookup", "issue_refund"]
    await guards.close()


class Blinking(RedisGuards):
    """Guards whose Redis hangs for a moment just when a request is about to leave."""

    server: Redis

    async def mark_sent(self, claim: Claim, *, lands_within: timedelta) -> Claim:
        server, moment = self.server.child.pid, 1.5 * PATIENCE.total_seconds()
        os.kill(server, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(moment, os.kill, server, signal.SIGCONT)
        return await super().mark_sent(claim, lands_within=lands_within)


async def test_a_blip_of_redis_does_not_spend_the_only_attempt_of_an_unsafe_tool(
    tools: ToolRegistry, redis: Redis, simulator: SimulatorClient
) -> None:
    guards = Blinking(Store.connect(redis.url, timeout=PATIENCE), "test")
    guards.server = redis
    call = call_of(tools, "send_email", attempts=1)
    await made(tools, guards, call, 1)
    assert len(await simulator.effects("mail")) == 1
    await guards.close()
