"""Handlers that work for longer than their lease, lose their claim, or raise what nobody foresaw."""

import asyncio
import dataclasses
import itertools
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.llm import LlmActivities
from activities.tools import ToolActivities, Toolbox
from surefoot.contracts.conversation import UserMessage
from surefoot.contracts.models import Generation, ModelCall, Prompt
from surefoot.contracts.tools import Claim, Effect, ToolCall, ToolResult
from surefoot.errors import CallFailed, detail
from surefoot.llm.pricing import GenaiPricing
from surefoot.ports import OnText, Proceed, ToolContext
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.streams import RedisTextStream
from surefoot.simulator.client import SimulatorClient
from surefoot.tools.contract import Arguments, Tool, tool
from surefoot.tools.registry import ToolRegistry
from tests.reliability.given import CENT, QUICK, SHORT, begin, books, held, permit, reservation
from tests.reliability.test_guards import trip
from tests.support.waiting import until
from tests.workflows.test_attempts import ARGUMENTS, environment, unheard
from tests.workflows.test_model_attempts import FLASH

LEASE = timedelta(milliseconds=300)


def order(tools: ToolRegistry) -> ToolCall:
    contract = tools["create_order"].contract().model_copy(update={"deadline": timedelta(seconds=5)})
    return ToolCall(id="c", contract=contract, arguments=ARGUMENTS["create_order"], effect_key="effect", tenant="acme")


async def made(
    tools: Toolbox,
    guards: RedisGuards,
    call: ToolCall,
    *,
    by: str = "1",
    attempt: int = 1,
    lease: timedelta | None = None,
) -> ToolResult:
    activities = ToolActivities(tools, guards, lease=lease, tell=unheard).activities()
    found = environment(attempt)
    found.info = dataclasses.replace(found.info, activity_id=by)
    result: ToolResult = await found.run(dict(zip(tools, activities, strict=True))[call.contract.name], call)
    return result


async def insisted(tools: Toolbox, guards: RedisGuards, call: ToolCall, *, by: str, lease: timedelta) -> ToolResult:
    """Attempt after attempt, as Temporal makes them."""
    for attempt in itertools.count(1):
        try:
            return await made(tools, guards, call, by=by, attempt=attempt, lease=lease)
        except ApplicationError as error:
            if error.non_retryable:
                raise
    raise AssertionError("numbers do not end")


async def test_a_handler_longer_than_the_lease_runs_once(
    tools: ToolRegistry, guards: RedisGuards, simulator: SimulatorClient
) -> None:
    await simulator.fault("orders", "latency", seconds=4 * LEASE, count=1)
    first = asyncio.create_task(made(tools, guards, order(tools), by="1", lease=LEASE))
    await until(lambda: simulator.calls("orders"))
    await asyncio.sleep(1.5 * LEASE.total_seconds())
    second = await insisted(tools, guards, order(tools), by="2", lease=LEASE)

    assert second.replayed
    assert second.content == (await first).content
    assert len(await simulator.calls("orders")) == 1


async def test_a_handler_whose_claim_has_gone_is_stopped(
    tools: ToolRegistry, guards: RedisGuards, simulator: SimulatorClient, redis_url: str, prefix: str
) -> None:
    await simulator.fault("orders", "hang", count=1)
    first = asyncio.create_task(made(tools, guards, order(tools), lease=LEASE))
    await until(lambda: simulator.calls("orders"))
    async with Redis.from_url(redis_url) as redis:
        await redis.delete(f"{prefix}:ledger:{{effect}}")
    with pytest.raises(ApplicationError, match="has passed") as stopped:
        await first
    assert stopped.value.type == "ToolRetryable"
    assert not stopped.value.non_retryable
    assert await guards.ledger.show("effect") is None


class Forgetful(RedisGuards):
    """Guards of a worker that is frozen whenever it ought to renew a lease."""

    async def renew(self, claim: Claim, lease: timedelta) -> bool:
        return True


async def test_a_result_that_comes_after_its_claim_has_gone_gives_way_to_the_recorded_one(
    tools: ToolRegistry, guards: RedisGuards, simulator: SimulatorClient, prefix: str
) -> None:
    await simulator.fault("orders", "latency", seconds=4 * LEASE, count=1)
    late = Forgetful(guards.store, prefix)
    first = asyncio.create_task(made(tools, late, order(tools), by="1", lease=LEASE))
    await until(lambda: simulator.calls("orders"))
    await asyncio.sleep(LEASE.total_seconds())
    second = await made(tools, guards, order(tools), by="2")
    with pytest.raises(ApplicationError, match="has passed") as stopped:
        await first
    again = await made(tools, guards, order(tools), by="1", attempt=2)

    assert (stopped.value.type, stopped.value.non_retryable) == ("ToolRetryable", False)
    assert again.replayed
    assert again.content == second.content


class Nothing(Arguments):
    """No arguments."""


async def not_there(context: ToolContext, backend: None) -> None:
    """The target has never heard of it."""


@tool(backend="order_url", effect=Effect.READ, breaker=QUICK)
async def reading(arguments: Nothing, context: ToolContext, backend: None) -> float:
    """Divide by zero."""
    return 1 / 0


@tool(backend="order_url", effect=Effect.KEYED, breaker=QUICK)
async def keyed(arguments: Nothing, context: ToolContext, backend: None) -> float:
    """Divide by zero."""
    return 1 / 0


@tool(backend="order_url", effect=Effect.VERIFIABLE, look_up=not_there, breaker=QUICK)
async def verifiable(arguments: Nothing, context: ToolContext, backend: None) -> float:
    """Divide by zero."""
    return 1 / 0


@tool(backend="order_url", effect=Effect.UNSAFE, breaker=QUICK)
async def unsafe(arguments: Nothing, context: ToolContext, backend: None) -> float:
    """Divide by zero."""
    return 1 / 0


@tool(backend="order_url", effect=Effect.KEYED)
async def unreadable(arguments: Nothing, context: ToolContext, backend: None) -> float:
    """Answer what no JSON can say."""
    return float("nan")


BUGGY: dict[str, Tool] = {
    design.name: design.connect(None) for design in (reading, keyed, verifiable, unsafe, unreadable)
}


def call_of(name: str) -> ToolCall:
    return ToolCall(id="c", contract=BUGGY[name].contract(), arguments={}, effect_key="effect", tenant="acme")


@pytest.mark.parametrize(
    ("name", "kind", "state"),
    [
        ("reading", "ToolFailed", None),
        ("keyed", "OutcomeUnknown", "sent"),
        ("verifiable", "OutcomeUnknown", "sent"),
        ("unsafe", "OutcomeUnknown", "unknown"),
    ],
)
async def test_a_tool_that_raises_what_nobody_foresaw_ends_its_claim_and_frees_its_probe(
    guards: RedisGuards, name: str, kind: str, state: str | None
) -> None:
    await trip(guards, name, QUICK)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    with pytest.raises(ApplicationError, match="its handler raised ZeroDivisionError") as failed:
        await made(BUGGY, guards, call_of(name))
    claim = await guards.ledger.show("effect")
    details = detail(failed.value, CallFailed)

    assert (failed.value.type, failed.value.non_retryable) == (kind, True)
    assert details
    assert details.maybe_done == (name != "reading")
    assert (claim["state"] if claim else None) == state
    assert permit(await guards.breaker.admit(name, QUICK, "next")).probe


async def test_a_lease_that_ends_with_the_bug_leaves_the_claim_to_the_next_caller(guards: RedisGuards) -> None:
    with pytest.raises(ApplicationError):
        await made(BUGGY, guards, call_of("keyed"))
    entry = await begin(guards, owner="run/2")
    assert isinstance(entry, Proceed)
    assert entry.claim
    assert entry.claim.in_doubt


async def test_a_result_that_is_not_json_is_a_bug_of_its_tool(guards: RedisGuards) -> None:
    with pytest.raises(ApplicationError, match="its handler raised ValueError") as failed:
        await made(BUGGY, guards, call_of("unreadable"))
    assert failed.value.type == "OutcomeUnknown"


class BuggyModel:
    """A provider whose adapter has a bug."""

    async def generate(self, prompt: Prompt, *, on_text: OnText, idle_limit: timedelta) -> Generation:
        await on_text("I think")
        raise KeyError("candidates")


async def test_a_model_call_that_raises_what_nobody_foresaw_is_settled_as_unknown(
    guards: RedisGuards, prefix: str
) -> None:
    hold = held(await guards.reserve(reservation("h", CENT))).model_copy(update={"model": FLASH})
    models = LlmActivities({"gemini": BuggyModel()}, guards, GenaiPricing(), RedisTextStream(guards.store, prefix))
    prompt = Prompt(model=FLASH, system="Be kind.", messages=(UserMessage(text="Hello"),))
    with pytest.raises(ApplicationError, match="raised KeyError") as failed:
        await ActivityEnvironment().run(models.generate, ModelCall(prompt=prompt, hold=hold, turn=1))
    status = await books(guards, prefix)
    assert (failed.value.type, failed.value.non_retryable) == ("ModelRefused", True)
    assert (status.held, status.settled, status.unknown) == (0, CENT, CENT)
