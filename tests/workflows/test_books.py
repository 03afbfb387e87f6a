"""The books of a run that ends with a call of which nobody will tell what it cost."""

from datetime import timedelta

from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.budgets import BudgetLimit, ScopeKind
from surefoot.crash_points import CrashPoint
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import eventually
from tests.support.workers import worker_process
from tests.workflows.conftest import Ask
from worker import composed


async def test_what_a_dead_worker_s_model_call_held_is_charged_when_its_run_ends(
    agent_settings: Settings, temporal_client: Client, ask: Ask
) -> None:
    request = ask("Tell me about tides.", "mortal")
    surefoot = SurefootClient(temporal_client, task_queue=agent_settings.task_queue)
    async with worker_process(agent_settings, SUREFOOT_TEST_KILL_AT=CrashPoint.MID_MODEL_CALL) as worker:
        started = await surefoot.start(request)
        await eventually(lambda: not worker.running, within=timedelta(seconds=20))
    async with composed(agent_settings, temporal_client) as sound, sound:
        result = await surefoot.result(started.run)

    store = Store.connect(agent_settings.redis_url.get_secret_value(), timeout=agent_settings.store_timeout)
    office = RedisOffice(store, agent_settings.key_prefix)
    books = await office.budget("default", ScopeKind.SESSION, request.session, BudgetLimit(limit=0))
    await store.close()
    assert result.fell_back
    assert books.held == 0
    assert books.unknown > 0
    assert books.settled == result.usage.cost_nanos + books.unknown


async def test_a_line_that_a_failed_attempt_crossed_is_told_by_the_one_that_succeeds(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("gemini", "cut", count=1)
    result = await surefoot.run(ask("Hello", "edgy"))
    assert len(await simulator.calls("gemini")) == 2
    assert [incident for incident in result.incidents if "budget_soft" in incident]
