"""Routes are written to models that have just answered, and end when the model that was out answers again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.routing import RoutingActivities
from activities.small_calls import BUDGET, SmallCalls
from surefoot.contracts.breakers import BreakerState
from surefoot.contracts.budgets import BudgetLimit
from surefoot.contracts.routing import LEASE, Rerouted, RerouteRequest, RouteBackRequest, RoutedBack
from surefoot.errors import ErrorType
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.routes import RedisRoutes
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.incidents.small_calls import books, small_calls
from tests.reliability.given import act

SMALL, LARGE, FLASH = "mistral:mistral-small-2506", "mistral:mistral-large-2512", "gemini:gemini-2.5-flash"


@pytest.fixture
async def guards(settings: Settings) -> AsyncIterator[RedisGuards]:
    url = settings.redis_url.get_secret_value()
    found = RedisGuards.connect(url, prefix=settings.key_prefix, timeout=timedelta(seconds=2))
    yield found
    await found.close()


@pytest.fixture
def routes(guards: RedisGuards, settings: Settings) -> RedisRoutes:
    return RedisRoutes(guards.store, settings.key_prefix)


class Detours:
    def __init__(self, calls: SmallCalls, routes: RedisRoutes, within: timedelta = timedelta(seconds=5)) -> None:
        self._activities = RoutingActivities(calls, routes, within)

    async def lead_around(self, *candidates: str, lease: timedelta = LEASE) -> Rerouted:
        request = RerouteRequest(incident_id="incident-1", model=SMALL, candidates=candidates, lease=lease)
        return await ActivityEnvironment().run(self._activities.reroute, request)

    async def lead_back(self, incident: str = "incident-1", lease: timedelta = LEASE) -> RoutedBack:
        request = RouteBackRequest(incident_id=incident, model=SMALL, lease=lease)
        return await ActivityEnvironment().run(self._activities.route_back, request)


@pytest.fixture
async def detours(settings: Settings, guards: RedisGuards, routes: RedisRoutes) -> AsyncIterator[Detours]:
    async with small_calls(settings, guards) as calls:
        yield Detours(calls, routes)


async def test_the_first_candidate_that_answers_takes_over_and_it_is_said_why_others_do_not(
    detours: Detours, routes: RedisRoutes, simulator: SimulatorClient, guards: RedisGuards, settings: Settings
) -> None:
    await simulator.fault("mistral", "status", status=500)
    led = await detours.lead_around(SMALL, LARGE, LARGE, FLASH)
    assert led.route
    assert (led.route.model, led.route.to, led.route.incident) == (SMALL, FLASH, "incident-1")
    assert await routes.routes() == (led.route,)
    own, other = led.unfit
    assert (own.model, own.why) == (SMALL, "it is the model that is out")
    assert (other.model, "500" in other.why) == (LARGE, True)
    assert [call.operation for call in await simulator.calls()] == ["mistral-large-2512", "gemini-2.5-flash"]
    spent = await books(guards, settings)
    assert 0 < spent.settled < 1_000_000
    assert spent.held == 0


async def test_without_a_candidate_that_answers_there_is_no_route(
    detours: Detours, routes: RedisRoutes, simulator: SimulatorClient, guards: RedisGuards, settings: Settings
) -> None:
    await simulator.fault("mistral", "status", status=500)
    await routes.put(FLASH, LARGE, "incident-2", LEASE)
    led = await detours.lead_around(LARGE, FLASH, "gemini:nobody-knows")
    assert led.route is None
    assert [one.model for one in led.unfit] == [LARGE, FLASH, "gemini:nobody-knows"]
    assert [route.model for route in await routes.routes()] == [FLASH]
    assert await detours.lead_around() == Rerouted()


async def test_a_candidate_that_hangs_or_whose_circuit_is_open_is_passed_over(
    settings: Settings, guards: RedisGuards, routes: RedisRoutes, simulator: SimulatorClient
) -> None:
    await simulator.fault("mistral", "hang")
    await RedisOffice(guards.store, settings.key_prefix).force_open(FLASH, act())
    async with small_calls(settings, guards) as calls:
        led = await Detours(calls, routes, timedelta(milliseconds=300)).lead_around(LARGE, FLASH)
    assert led.route is None
    assert ["did not finish" in led.unfit[0].why, "is open" in led.unfit[1].why] == [True, True]
    assert (await books(guards, settings)).held == 0


async def test_the_route_ends_once_the_model_answers_and_not_before(
    detours: Detours, routes: RedisRoutes, simulator: SimulatorClient
) -> None:
    await simulator.fault("mistral", "status", status=500, operation="mistral-small-2506")
    first = (await detours.lead_around(LARGE, lease=timedelta(minutes=1))).route
    assert first
    with pytest.raises(ApplicationError, match="does not answer yet") as not_yet:
        await detours.lead_back(lease=timedelta(minutes=9))
    assert (not_yet.value.type, not_yet.value.non_retryable) == (ErrorType.NOT_YET, False)
    (renewed,) = await routes.routes()
    assert renewed.at == first.at
    assert renewed.until - first.until > timedelta(minutes=7)
    await simulator.clear_faults()
    assert (await detours.lead_back()).model == SMALL
    assert await routes.routes() == ()
    assert (await detours.lead_back()).model == SMALL


async def test_looks_that_fail_open_the_model_s_circuit_and_then_nobody_is_asked(
    detours: Detours, guards: RedisGuards, settings: Settings, simulator: SimulatorClient
) -> None:
    await simulator.fault("mistral", "status", status=500, operation="mistral-small-2506")
    for _ in range(5):
        with pytest.raises(ApplicationError):
            await detours.lead_back()
    office = RedisOffice(guards.store, settings.key_prefix)
    assert [one.state for one in await office.breakers()] == [BreakerState.OPEN]
    with pytest.raises(ApplicationError, match="is open"):
        await detours.lead_back()
    assert len(await simulator.calls("mistral")) == 5


async def test_a_route_that_an_operator_ended_is_not_written_again_by_a_look_back(
    detours: Detours, routes: RedisRoutes, simulator: SimulatorClient
) -> None:
    await simulator.fault("mistral", "status", status=500, operation="mistral-small-2506")
    await detours.lead_around(LARGE)
    await routes.drop(SMALL)
    with pytest.raises(ApplicationError, match="does not answer yet"):
        await detours.lead_back()
    assert await routes.routes() == ()


async def test_an_incident_leaves_the_route_of_another_alone(detours: Detours, routes: RedisRoutes) -> None:
    led = await detours.lead_around(LARGE)
    await detours.lead_back("incident-2")
    assert await routes.routes() == (led.route,)


async def test_two_that_lead_around_the_same_model_at_once_leave_one_route(
    detours: Detours, routes: RedisRoutes
) -> None:
    led = await asyncio.gather(*(detours.lead_around(LARGE) for _ in range(5)))
    assert all(one.route for one in led)
    assert len(await routes.routes()) == 1


async def test_a_spent_budget_writes_no_route_and_keeps_the_one_that_there_is(
    settings: Settings, guards: RedisGuards, routes: RedisRoutes, simulator: SimulatorClient
) -> None:
    await routes.put(SMALL, FLASH, "incident-1", timedelta(minutes=1))
    async with small_calls(settings, guards, BudgetLimit(limit=1, window=BUDGET.window)) as calls:
        detours = Detours(calls, routes)
        assert "leave no room for it" in (await detours.lead_around(LARGE)).unfit[0].why
        with pytest.raises(ApplicationError, match="leave no room for it"):
            await detours.lead_back()
    assert [route.to for route in await routes.routes()] == [FLASH]
    assert await simulator.calls() == []


async def test_without_redis_it_is_tried_again(settings: Settings) -> None:
    away = RedisGuards.connect("redis://127.0.0.1:1/0", prefix="p", timeout=timedelta(milliseconds=200))
    async with small_calls(settings, away) as calls:
        detours = Detours(calls, RedisRoutes(away.store, "p"))
        for deed in (detours.lead_around(LARGE), detours.lead_back()):
            with pytest.raises(ApplicationError, match=r"127\.0\.0\.1:1") as error:
                await deed
            assert (error.value.type, error.value.non_retryable) == (ErrorType.STORE_UNAVAILABLE, False)
    await away.close()
