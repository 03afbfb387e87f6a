"""Promises that only a whole run can break: what a user notices of breaker, budget and keys together."""

import asyncio
from datetime import timedelta

import pytest

from surefoot.client import SurefootClient
from surefoot.contracts.budgets import BudgetLimit, ScopeKind
from surefoot.contracts.incidents import IncidentKind
from surefoot.contracts.runs import IdempotencyStatus, RunStatus
from surefoot.errors import RunFailed
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.conftest import Ask
from tests.workflows.test_guards import LOOK_UP, REPORT, told

REFUSALS = (400, 403, 404, 409, 422)


async def spent(settings: Settings, session: str) -> int:
    store = Store.connect(settings.redis_url.get_secret_value(), timeout=settings.store_timeout)
    try:
        books = await RedisOffice(store, settings.key_prefix).budget(
            "default", ScopeKind.SESSION, session, BudgetLimit(limit=0)
        )
    finally:
        await store.close()
    assert books.held == 0
    return books.settled


async def test_a_back_end_that_refuses_its_callers_never_opens_its_breaker(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    for status in REFUSALS * 2:
        await simulator.fault("orders", "status", status=status, count=1)
        result = await surefoot.run(ask(LOOK_UP))
        assert [incident for incident in result.incidents if "breaker_open" in incident] == []
    assert len(await simulator.calls("orders")) == 2 * len(REFUSALS), "every call got through to the back end"
    assert (await surefoot.run(ask(LOOK_UP))).tools_called == ("look_up_order",)


async def test_a_client_that_goes_away_and_asks_again_has_one_run(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("mistral", "latency", seconds=timedelta(seconds=1), count=1)
    request = ask(LOOK_UP)
    waiting = asyncio.create_task(surefoot.run(request))

    async def under_way() -> bool:
        return bool(await simulator.calls("mistral"))

    await until(under_way)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    again = await surefoot.start(request)
    assert again.idempotency_status is not IdempotencyStatus.FRESH
    result = await surefoot.result(again.run)
    assert result.status is RunStatus.COMPLETED
    assert (await surefoot.run(request)).text == result.text
    assert len(await simulator.calls("orders")) == 1


async def test_a_failure_asked_for_again_keeps_its_type_and_its_numbers(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    for model in ("mistral", "gemini"):
        await simulator.fault(model, "status", status=403)
    started = await surefoot.start(ask("Hello there"))
    failures = []
    for _ in range(3):
        with pytest.raises(RunFailed) as failed:
            await surefoot.result(started.run)
        failures.append((failed.value.type, str(failed.value), failed.value.failure))
    assert failures[0] == failures[1] == failures[2]
    assert (failures[0][0], "403" in failures[0][1]) == ("ModelRefused", True)


async def test_the_fallback_s_call_is_paid_from_the_same_budget(
    surefoot: SurefootClient, simulator: SimulatorClient, agent_settings: Settings, ask: Ask
) -> None:
    await simulator.fault("mistral", "status", status=500)
    request = ask("Hello there")
    result = await surefoot.run(request)
    assert result.models == ("gemini-2.5-flash",)
    assert await spent(agent_settings, request.session) == result.usage.cost_nanos > 0


async def test_a_cap_that_many_runs_meet_is_one_incident(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    async def incidents_of(number: int) -> set[str]:
        try:
            return {*(await surefoot.run(ask(f"{REPORT} Number {number}.", "thrifty"))).incidents}
        except RunFailed as error:
            return {*error.failure.partial.incidents} if error.failure else set()

    met = [incident for one in await asyncio.gather(*map(incidents_of, range(24))) for incident in one]
    stopped = [incident for incident in met if IncidentKind.BUDGET_HARD in incident]
    assert len({*stopped}) == 1
    assert (await surefoot.incident(stopped[0])).occurrences == len(stopped) > 1


async def test_a_model_is_told_what_its_call_was_refused_for(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("orders", "status", status=422, count=1)
    started = await surefoot.start(ask(LOOK_UP))
    await surefoot.result(started.run)
    assert "422" in (await told(surefoot, started.run))[0]
