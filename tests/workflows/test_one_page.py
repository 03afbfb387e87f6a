"""However many runs meet a failure, people are called once, and told once that it is over."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.incidents import IncidentKind, IncidentState
from surefoot.contracts.runs import RunResult
from surefoot.settings import Settings, load
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.sinks.alerts import AlertState
from tests.support.waiting import until
from tests.support.workers import as_variables
from tests.workflows.conftest import AGENTS, Ask
from tests.workflows.test_guards import LOOK_UP
from worker import composed

RUNS = 200
AT_A_TIME = 20
CHANNELS = ["opsgenie", "pagerduty", "slack", "webhook"]


@pytest.fixture
async def paging(
    settings: Settings, simulator: SimulatorClient, temporal_client: Client
) -> AsyncIterator[SurefootClient]:
    """With a worker whose incidents reach the sinks of the test's world."""
    given = {**as_variables(settings), **simulator.channel_variables, "SUREFOOT_AGENTS_DIR": AGENTS}
    async with composed(load(**given, _env_file=None), temporal_client) as worker, worker:
        yield SurefootClient(temporal_client, task_queue=settings.task_queue)


@pytest.mark.timeout(300)  # where a machine has one core for all of it
async def test_two_hundred_runs_that_meet_one_broken_tool_make_one_incident_one_page_and_one_resolve(
    paging: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("orders", "status", status=503)
    places = asyncio.Semaphore(AT_A_TIME)

    async def run() -> RunResult:
        async with places:
            return await paging.run(ask(LOOK_UP))

    results = await asyncio.gather(*(run() for _ in range(RUNS)))
    met = [one for result in results for one in result.incidents if IncidentKind.BREAKER_OPEN in one]
    assert len({*met}) == 1
    incident = await paging.incident(met[0])
    assert incident.occurrences == len(met) == RUNS

    async def alerts(state: AlertState) -> list[str]:
        found = [alert for alert in await simulator.alerts() if alert.state is state and alert.count == 1]
        targets = sorted(alert.target for alert in found if "look_up_order" in alert.title)
        return targets if targets == CHANNELS else []

    await until(lambda: alerts(AlertState.TRIGGERED))
    await simulator.clear_faults()

    async def resolved() -> bool:
        await paging.run(ask(LOOK_UP))  # once its time is over, one of these is the probe
        return (await paging.incident(incident.id)).state is IncidentState.RESOLVED

    await until(resolved, within=timedelta(minutes=1))
    await until(lambda: alerts(AlertState.RESOLVED))
    circuits = [alert for alert in await simulator.alerts() if "circuit" in alert.title]
    assert sorted(alert.target for alert in circuits) == CHANNELS, "one page and one resolve by each channel"
