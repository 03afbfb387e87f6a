"""Back ends fail the way they are told to, and the effect log says what really happened."""

import asyncio
from datetime import timedelta

import httpx2
import pytest

from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.faults import FaultKind
from tests.support.waiting import until

ORDER = {"product": "mug", "quantity": 1}
SOON = timedelta(milliseconds=50)
LATE = timedelta(seconds=2)


async def order(http: httpx2.AsyncClient, patience: float = 5) -> httpx2.Response:
    return await http.post("/orders/orders", json=ORDER, headers={"Idempotency-Key": "k1"}, timeout=patience)


async def succeeds(http: httpx2.AsyncClient) -> bool:
    return (await order(http)).is_success


async def eventually_one_effect(simulator: SimulatorClient) -> None:
    await until(lambda: simulator.effects("orders"))
    assert len(await simulator.effects("orders")) == 1


async def test_an_error_status_applies_nothing_and_says_when_to_come_back(
    http: httpx2.AsyncClient, simulator: SimulatorClient
) -> None:
    await simulator.fault("orders", FaultKind.STATUS, status=503, retry_after=timedelta(seconds=7))
    answer = await order(http)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert await simulator.effects() == []
    [call] = await simulator.calls("orders")
    assert (call.status, call.fault, call.key) == (503, "status", "k1")


async def test_a_fault_strikes_as_often_as_it_was_told_after_those_it_skips(
    http: httpx2.AsyncClient, simulator: SimulatorClient
) -> None:
    await simulator.fault("orders", FaultKind.STATUS, status=500, skip=1, count=2)
    assert [(await order(http)).status_code for _ in range(4)] == [201, 500, 500, 200]
    assert await simulator.faults() == []


async def test_a_fault_of_one_operation_leaves_the_others_alone(
    http: httpx2.AsyncClient, simulator: SimulatorClient
) -> None:
    await simulator.fault("orders", FaultKind.STATUS, operation="create_order")
    assert (await http.get("/orders/orders/A-1001")).status_code == 200
    assert (await order(http)).status_code == 503


async def test_a_rate_strikes_the_same_requests_for_the_same_seed(
    http: httpx2.AsyncClient, simulator: SimulatorClient
) -> None:
    rounds = []
    for _ in range(2):
        await simulator.fault("orders", FaultKind.STATUS, rate=0.5, seed=7)
        rounds.append([(await order(http)).status_code == 503 for _ in range(20)])
        await simulator.clear_faults()
    assert rounds[0] == rounds[1]
    assert 3 < sum(rounds[0]) < 17


async def test_a_fault_ends_after_its_duration(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await simulator.fault("orders", FaultKind.STATUS, duration=SOON)
    await until(lambda: succeeds(http))


async def test_cleared_faults_of_one_target_leave_the_others(simulator: SimulatorClient) -> None:
    await simulator.fault("orders", FaultKind.HANG)
    await simulator.fault("refunds", FaultKind.HANG)
    await simulator.clear_faults("orders")
    assert [fault.target for fault in await simulator.faults()] == ["refunds"]


async def test_a_slow_answer_arrives(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await simulator.fault("orders", FaultKind.LATENCY, seconds=SOON)
    assert (await order(http)).status_code == 201


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.LATENCY])
async def test_who_hangs_up_on_a_silent_back_end_changed_nothing(
    http: httpx2.AsyncClient, simulator: SimulatorClient, kind: FaultKind
) -> None:
    await simulator.fault("orders", kind, seconds=LATE, count=1)
    with pytest.raises(httpx2.ReadTimeout):
        await order(http, patience=0.3)
    await asyncio.sleep(LATE.total_seconds())
    assert await simulator.effects() == []
    [call] = await simulator.calls("orders")
    assert call.status is None


async def test_a_back_end_may_do_its_work_after_the_client_has_gone(
    http: httpx2.AsyncClient, simulator: SimulatorClient
) -> None:
    await simulator.fault("orders", FaultKind.HANG_THEN_APPLY, seconds=LATE)
    with pytest.raises(httpx2.ReadTimeout):
        await order(http, patience=0.3)
    assert await simulator.effects() == []
    await eventually_one_effect(simulator)


async def test_a_lost_answer_hides_an_effect(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await simulator.fault("orders", FaultKind.APPLY_THEN_LOSE, count=1)
    with pytest.raises(httpx2.RemoteProtocolError):
        await order(http)
    await eventually_one_effect(simulator)
    assert (await order(http)).status_code == 200


async def test_a_reset_connection_hides_nothing(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await simulator.fault("orders", FaultKind.RESET)
    with pytest.raises(httpx2.ReadError):
        await order(http)
    assert await simulator.effects() == []


async def test_an_answer_can_be_cut_in_the_middle(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await simulator.fault("orders", FaultKind.CUT)
    with pytest.raises(httpx2.ReadError):
        await order(http)
    await eventually_one_effect(simulator)


async def test_an_answer_can_stall_in_the_middle(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await simulator.fault("orders", FaultKind.STALL)
    async with http.stream("POST", "/orders/orders", json=ORDER, timeout=0.2) as answer:
        assert answer.status_code == 201
        with pytest.raises(httpx2.ReadTimeout):
            await answer.aread()
    await eventually_one_effect(simulator)


async def test_a_malformed_answer_cannot_be_parsed(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await simulator.fault("orders", FaultKind.MALFORMED)
    answer = await order(http)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting"):
        answer.json()


@pytest.mark.parametrize(
    "fault", [{"kind": "sulk"}, {"kind": "status", "rate": 2}, {"kind": "served_as"}, {"kind": "context"}, {"x": 1}]
)
async def test_a_fault_that_makes_no_sense_is_refused(http: httpx2.AsyncClient, fault: dict[str, object]) -> None:
    answer = await http.post("/faults", json={"target": "orders", **fault})
    assert answer.status_code == 422
    assert answer.json()["error"]["problems"]


async def test_a_sink_keeps_pages_and_can_fail(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await http.post("/sinks/pager", json={"summary": "orders is down"}, headers={"X-Signature": "abc"})
    await http.post("/sinks/pager", content="plain words")
    await simulator.fault("pager", FaultKind.STATUS, status=429, retry_after=timedelta(seconds=1))
    assert (await http.post("/sinks/pager", json={})).status_code == 429
    page, words = await simulator.sunk("pager")
    assert page.body == {"summary": "orders is down"}
    assert page.headers["x-signature"] == "abc"
    assert words.body == "plain words"
    assert simulator.sink_url("pager").endswith("/sinks/pager")
