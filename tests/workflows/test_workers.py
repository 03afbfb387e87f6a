"""Two worker processes: what they share, and what is left when one is killed."""

from datetime import timedelta

from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.support.workers import worker_process
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import BROKEN
from tests.workflows.test_guards import LOOK_UP, told


def client_of(settings: Settings, temporal: Client) -> SurefootClient:
    return SurefootClient(temporal, task_queue=settings.task_queue)


async def test_a_trip_on_one_worker_refuses_the_next_call_on_another(
    agent_settings: Settings, temporal_client: Client, simulator: SimulatorClient, ask: Ask, unique: str
) -> None:
    here = agent_settings.model_copy(update={"task_queue": f"here-{unique}"})
    there = agent_settings.model_copy(update={"task_queue": f"there-{unique}"})
    await simulator.fault("orders", "status", status=500)
    async with worker_process(here), worker_process(there):
        near, far = client_of(here, temporal_client), client_of(there, temporal_client)
        for _ in range(2):  # four attempts, and the fifth opens it
            await near.run(ask(LOOK_UP))
        tried = len(await simulator.calls("orders"))
        refused = await far.start(ask(LOOK_UP))
        await far.result(refused.run)

        assert tried == 5
        assert "tried again at" in (await told(far, refused.run))[0]
        assert len(await simulator.calls("orders")) == tried


async def test_a_worker_killed_between_refund_and_report_leaves_one_refund(
    agent_settings: Settings, temporal_client: Client, simulator: SimulatorClient, ask: Ask
) -> None:
    surefoot = client_of(agent_settings, temporal_client)
    await simulator.fault(
        "refunds", "hang_then_apply", operation="issue_refund", seconds=timedelta(milliseconds=100), count=1
    )
    async with worker_process(agent_settings) as doomed:
        started = await surefoot.start(ask(BROKEN))
        await until(lambda: simulator.effects("refunds"))
        doomed.kill()
        async with worker_process(agent_settings):
            result = await surefoot.result(started.run)

    assert result.tools_called[-1] == "issue_refund"
    assert len(await simulator.effects("refunds")) == 1
