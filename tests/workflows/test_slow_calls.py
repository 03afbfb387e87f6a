"""Breakers that open on calls that succeed too slowly."""

from datetime import timedelta

from surefoot.client import SurefootClient
from surefoot.contracts.incidents import IncidentKind
from surefoot.contracts.models import ModelCall
from surefoot.simulator.client import SimulatorClient
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History
from tests.workflows.test_guards import LOOK_UP, told
from workflows.policies import MODEL_OVERHEAD

SLOW = timedelta(milliseconds=300)


async def opened(surefoot: SurefootClient, incidents: tuple[str, ...]) -> list[str]:
    """What the incidents of opened breakers are about."""
    found = [await surefoot.incident(incident) for incident in incidents]
    return [one.report.subject for one in found if one.report.kind is IncidentKind.BREAKER_OPEN]


async def test_a_tool_that_answers_too_slowly_opens_its_breaker(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    await simulator.fault("orders", "latency", seconds=SLOW)
    result = await surefoot.run(ask(f"{LOOK_UP} {LOOK_UP}", "sluggish"))
    after = await surefoot.start(ask(LOOK_UP, "sluggish"))
    await surefoot.result(after.run)

    assert result.tools_called == ("look_up_order", "look_up_order")
    assert await opened(surefoot, result.incidents) == ["look_up_order"]
    assert "tried again at" in (await told(surefoot, after.run))[0]
    assert len(await simulator.calls("orders")) == 2
    await history(after.run)


async def test_a_model_that_answers_too_slowly_opens_its_breaker(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("gemini", "latency", seconds=SLOW)
    result = await surefoot.run(ask(LOOK_UP, "sluggish"))
    assert await opened(surefoot, result.incidents) == ["gemini:gemini-2.5-flash"]


async def test_a_probe_of_a_model_keeps_its_place_for_as_long_as_the_model_may_take(
    surefoot: SurefootClient, ask: Ask, history: History
) -> None:
    started = await surefoot.start(ask("Hello there", "brittle"))
    await surefoot.result(started.run)
    scheduled = [event.activity_task_scheduled_event_attributes for event in (await history(started.run)).events]
    (attempt,) = [one for one in scheduled if one.activity_type.name == "llm.generate"]
    call = ModelCall.model_validate_json(attempt.input.payloads[0].data)

    assert call.deadline + MODEL_OVERHEAD <= call.breaker.probe_lease <= call.breaker.half_open_at_most


async def test_answers_that_come_in_time_open_nothing(surefoot: SurefootClient, ask: Ask) -> None:
    result = await surefoot.run(ask(f"{LOOK_UP} {LOOK_UP}", "sluggish"))
    assert result.incidents == ()
