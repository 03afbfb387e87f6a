"""A failover in mid-call to a replica that lags behind: the runs go on, and tell of one loss."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.incidents import IncidentKind
from surefoot.embedded.ports import HOST
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.proxy import FaultProxy, proxy_to
from tests.support.replicas import Pair, replicated
from tests.support.waiting import until
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History
from worker import composed

THINKING = timedelta(seconds=5)
"""Long enough for a failover on a busy machine."""


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with replicated(tmp_path) as found:
        yield found


@pytest.fixture
async def address(pair: Pair) -> AsyncIterator[tuple[FaultProxy, str]]:
    """Where the workers find whichever server is the primary."""
    async with proxy_to(pair.primary.url) as found:
        yield found


@pytest.fixture
async def surefoot(
    agent_settings: Settings, address: tuple[FaultProxy, str], temporal_client: Client
) -> AsyncIterator[SurefootClient]:
    settings = agent_settings.model_copy(update={"redis_url": SecretStr(address[1])})
    async with composed(settings, temporal_client) as worker, worker:
        yield SurefootClient(temporal_client, task_queue=settings.task_queue)


async def test_a_failover_to_a_replica_that_lagged_is_one_incident_of_all_runs_that_meet_it(
    surefoot: SurefootClient,
    pair: Pair,
    address: tuple[FaultProxy, str],
    simulator: SimulatorClient,
    ask: Ask,
    history: History,
) -> None:
    await surefoot.run(ask("Good morning"))
    await pair.caught_up()
    pair.lag()
    await simulator.fault("mistral", "latency", seconds=THINKING, count=2)
    runs = [(await surefoot.start(ask("Hello there"))).run for _ in range(2)]
    await until(lambda: _called(simulator, 3))
    await pair.fail_over()
    address[0].move_to(HOST, urlsplit(pair.replica.url).port or 0)
    address[0].reset_connections()
    address[0].heal()

    results = [await surefoot.result(run) for run in runs]
    (incident,) = {incident for result in results for incident in result.incidents}
    told = await surefoot.incident(incident)
    assert told.report.kind is IncidentKind.STORE_WIPED
    assert "newest writes" in told.report.summary
    for run in runs:
        await history(run)


async def _called(simulator: SimulatorClient, times: int) -> bool:
    return len(await simulator.calls("mistral")) >= times
