"""Health is told without asking those whose health it is."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.guardrails import Act
from surefoot.contracts.runs import RunRequest
from surefoot.embedded.redis import start_redis
from surefoot.errors import InvalidInput, RunCancelled
from surefoot.health.server import probed
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from surefoot.settings import Settings
from surefoot.simulator.client import ADDRESSES, SimulatorClient
from tests.support.waiting import until
from tests.support.workers import worker_process
from worker import composed


@pytest.fixture
async def office(settings: Settings) -> AsyncIterator[RedisOffice]:
    store = Store.connect(settings.redis_url.get_secret_value(), timeout=settings.store_timeout)
    yield RedisOffice(store, settings.key_prefix)
    await store.close()


@asynccontextmanager
async def probe(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """Asks a worker's endpoint."""
    async with (
        probed(settings) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as asking,
    ):
        yield asking


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """The endpoint of a worker with these settings."""
    async with probe(settings.model_copy(update={"health_port": 0})) as asking:
        yield asking


def act(id: str) -> Act:
    return Act(id=id, by="ann", reason="a test")


async def test_health_answers_while_every_back_end_hangs(
    settings: Settings, temporal_client: Client, simulator: SimulatorClient, worker: httpx2.AsyncClient, unique: str
) -> None:
    for target in ADDRESSES.values():
        await simulator.fault(target, "hang")
    async with composed(settings, temporal_client) as serving, serving:
        client = SurefootClient(temporal_client, task_queue=settings.task_queue)
        for number in range(3):
            request = RunRequest(prompt="Where is A-1001?", profile="support", session=unique, key=f"{unique}-{number}")
            await client.start(request)

        async def hanging() -> bool:
            return len(await simulator.calls()) >= 3

        await until(hanging)
        before = len(await simulator.calls())
        answer = await worker.get("/api/health")
        assert (answer.status_code, answer.json()["state"]) == (200, "healthy")
        calls = await simulator.calls()
        assert len(calls) == before, "health asks no back end"
        assert [call for call in calls if call.status is not None] == [], "all of them still hang"
        for number in range(3):
            await client.cancel(f"run:default:{unique}-{number}")
            with pytest.raises(RunCancelled):
                await client.result(f"run:default:{unique}-{number}")


async def test_health_is_degraded_by_one_open_breaker_and_lost_with_the_last(
    office: RedisOffice, worker: httpx2.AsyncClient
) -> None:
    assert (await worker.get("/api/health")).json() == {"state": "healthy", "breakers": [], "problem": ""}
    await office.disable("look_up_order", act("1"))
    await office.force_open("refund", act("2"))
    answer = await worker.get("/api/health")
    assert (answer.status_code, answer.json()["state"]) == (200, "degraded")
    assert {one["name"]: one["state"] for one in answer.json()["breakers"]} == {
        "look_up_order": "disabled",
        "refund": "forced_open",
    }
    await office.force_open("look_up_order", act("3"))
    answer = await worker.get("/api/health")
    assert (answer.status_code, answer.json()["state"]) == (503, "unhealthy")


async def test_a_worker_without_redis_lives_and_is_not_ready(settings: Settings, tmp_path: Path) -> None:
    redis = await start_redis(log=tmp_path / "redis.log", folder=None)
    given = settings.model_dump(exclude_unset=True, by_alias=True) | {"REDIS_URL": redis.url}
    async with probe(Settings(**given | {"SUREFOOT_HEALTH_PORT": 0}, _env_file=None)) as asking:
        assert (await asking.get("/health/ready")).status_code == 200
        await redis.child.stop()
        assert (await asking.get("/health/live")).status_code == 200
        assert (await asking.get("/health/ready")).status_code == 503
        answer = await asking.get("/api/health")
        assert (answer.status_code, answer.json()["state"]) == (503, "unhealthy")
        assert "does not answer" in answer.json()["problem"]


async def test_a_worker_process_answers_probes_where_it_is_told_to(settings: Settings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with (
        worker_process(settings, SUREFOOT_HEALTH_PORT=str(port)),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as asking,
    ):
        assert (await asking.get("/health/live")).json() == {"state": "alive"}
        assert (await asking.get("/elsewhere")).status_code == 404
        assert (await asking.post("/api/health")).status_code == 405


async def test_a_port_that_is_taken_is_refused_by_name(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInput, match=f"127.0.0.1:{port}.*SUREFOOT_HEALTH_PORT"):
            await probed(settings.model_copy(update={"health_port": port})).__aenter__()
