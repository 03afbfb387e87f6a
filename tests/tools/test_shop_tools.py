"""The shipped tools against the simulator's back ends, over real HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import JsonValue

from surefoot.contracts.breakers import Verdict
from surefoot.errors import Fault, ToolFailure
from surefoot.ports import ToolContext
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.faults import FaultKind
from surefoot.tools.registry import ToolRegistry


@pytest.fixture
async def registry(settings: Settings) -> AsyncIterator[ToolRegistry]:
    registry = ToolRegistry.from_settings(settings)
    yield registry
    await registry.aclose()


async def call(
    registry: ToolRegistry,
    tool: str,
    arguments: dict[str, JsonValue],
    key: str | None = None,
    deadline: timedelta = timedelta(seconds=5),
) -> dict[str, JsonValue]:
    context = ToolContext(key=key, deadline=deadline, tenant="default")
    result = await registry[tool].execute(registry[tool].validate(arguments), context)
    assert isinstance(result, dict)
    return result


async def test_every_tool_does_its_deed_once_and_with_its_key(
    registry: ToolRegistry, simulator: SimulatorClient
) -> None:
    refund: dict[str, JsonValue] = {"order_id": "A-1001", "amount": "49.90", "reason": "broken"}
    mail: dict[str, JsonValue] = {"to": "ada@example.com", "subject": "Refund", "body": "It is on its way."}

    assert (await call(registry, "look_up_customer", {"customer": "ada@example.com"}))["name"] == "Ada Lovelace"
    assert (await call(registry, "look_up_order", {"order_id": "A-1001"}))["status"] == "delivered"
    assert (await call(registry, "search", {"query": "durable execution"}))["results"]
    await call(registry, "create_order", {"product": "mug", "quantity": 2}, key="k-order")
    await call(registry, "start_return", {"order_id": "A-1001", "reason": "broken"}, key="k-return")
    await call(registry, "issue_refund", refund, key="k-refund")
    await call(registry, "send_email", mail, key="k-mail")
    await call(registry, "publish_summary", {"title": "News", "summary": "All is well."}, key="k-article")

    done = [(effect.operation, effect.key) for effect in await simulator.effects()]
    assert done == [
        ("create_order", "k-order"),
        ("start_return", "k-return"),
        ("issue_refund", "k-refund"),
        ("send_email", "k-mail"),
        ("publish_summary", "k-article"),
    ]


@pytest.mark.parametrize("kind", [FaultKind.APPLY_THEN_LOSE, FaultKind.CUT, FaultKind.MALFORMED])
async def test_an_order_whose_answer_was_lost_is_repeated_without_a_second_order(
    registry: ToolRegistry, simulator: SimulatorClient, kind: FaultKind
) -> None:
    await simulator.fault("orders", kind, count=1)
    arguments: dict[str, JsonValue] = {"product": "mug", "quantity": 2}

    with pytest.raises(ToolFailure) as caught:
        await call(registry, "create_order", arguments, key="k")
    assert (caught.value.fault, caught.value.reached, caught.value.maybe_done) == (Fault.RETRYABLE, True, True)
    repeated = await call(registry, "create_order", arguments, key="k")

    (effect,) = await simulator.effects("orders")
    assert repeated["id"] == effect.id


async def test_a_refund_whose_answer_was_lost_is_found_by_its_key(
    registry: ToolRegistry, simulator: SimulatorClient
) -> None:
    context = ToolContext(key="k", deadline=timedelta(seconds=5), tenant="default")
    refund = registry["issue_refund"]
    assert await refund.look_up(context) is None

    await simulator.fault("refunds", FaultKind.APPLY_THEN_LOSE, operation="issue_refund", count=1)
    with pytest.raises(ToolFailure):
        await call(registry, "issue_refund", {"order_id": "A-1001", "amount": "49.90", "reason": "broken"}, key="k")

    found = await refund.look_up(context)
    assert isinstance(found, dict)
    assert found["amount"] == "49.90"


async def test_a_hung_back_end_costs_its_deadline_and_holds_up_no_other(
    registry: ToolRegistry, simulator: SimulatorClient
) -> None:
    await simulator.fault("orders", FaultKind.HANG)

    with pytest.raises(ToolFailure, match=r"order did not answer within 0\.2 s") as caught:
        await call(registry, "look_up_order", {"order_id": "A-1001"}, deadline=timedelta(milliseconds=200))
    assert caught.value.verdict is Verdict.FAILURE
    assert (await call(registry, "look_up_customer", {"customer": "C-1001"}))["tier"] == "gold"


async def test_a_busy_back_end_says_when_to_come_back(registry: ToolRegistry, simulator: SimulatorClient) -> None:
    await simulator.fault("returns", FaultKind.STATUS, status=429, retry_after=timedelta(seconds=7))

    with pytest.raises(ToolFailure) as caught:
        await call(registry, "start_return", {"order_id": "A-1001", "reason": "broken"}, key="k")
    assert (caught.value.verdict, caught.value.maybe_done) == (Verdict.THROTTLED, False)
    assert caught.value.retry_after == timedelta(seconds=7)


async def test_the_model_is_told_what_it_got_wrong(registry: ToolRegistry) -> None:
    with pytest.raises(ToolFailure, match="order answered 404: there is no order 'A-9'") as caught:
        await call(registry, "look_up_order", {"order_id": "A-9"})
    assert (caught.value.fault, caught.value.verdict) == (Fault.MODELS_OWN, Verdict.NEUTRAL)
