"""Routes: seen by every worker with its next reservation, held by one incident, and forgotten by themselves."""

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from surefoot.errors import StoreUnavailable
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.routes import RedisRoutes
from tests.reliability.given import CENT, SHORT, reservation

PRO, FLASH, SMALL = "gemini:gemini-2.5-pro", "gemini:gemini-2.5-flash", "mistral:mistral-small-2506"
LONG = timedelta(minutes=30)


@pytest.fixture
def routes(guards: RedisGuards, prefix: str) -> RedisRoutes:
    return RedisRoutes(guards.store, prefix)


async def test_a_route_comes_with_the_next_reservation_of_another_worker(
    routes: RedisRoutes, other_guards: RedisGuards
) -> None:
    assert (await other_guards.reserve(reservation("h1", CENT))).routes == {}
    put = await routes.put(PRO, FLASH, "incident-1", LONG)
    told = (await other_guards.reserve(reservation("h2", CENT))).routes
    assert told == {PRO: put}
    assert (put.to, put.incident, put.until - put.at) == (FLASH, "incident-1", LONG)


async def test_a_route_that_nobody_renews_ends_and_leaves_nothing(
    routes: RedisRoutes, guards: RedisGuards, prefix: str, redis_url: str
) -> None:
    await routes.put(PRO, FLASH, "incident-1", SHORT)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    assert await routes.routes() == ()
    assert (await guards.reserve(reservation("h1", CENT))).routes == {}
    assert not await routes.renew(PRO, "incident-1", LONG)
    async with Redis.from_url(redis_url) as redis:
        assert await redis.exists(f"{prefix}:routes") == 0


async def test_a_route_ends_by_its_own_time_whatever_others_there_are(routes: RedisRoutes, guards: RedisGuards) -> None:
    await routes.put(PRO, FLASH, "incident-1", SHORT)
    await routes.put(SMALL, FLASH, "incident-2", LONG)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    assert [route.model for route in await routes.routes()] == [SMALL]
    assert list((await guards.reserve(reservation("h1", CENT))).routes) == [SMALL]


async def test_the_same_route_again_is_renewed_and_keeps_its_beginning(routes: RedisRoutes) -> None:
    first = await routes.put(PRO, FLASH, "incident-1", LONG)
    again = await routes.put(PRO, FLASH, "incident-1", 2 * LONG)
    assert again.at == first.at
    assert again.until > first.until
    other = await routes.put(PRO, SMALL, "incident-2", LONG)
    assert await routes.routes() == (other,)


async def test_only_its_own_incident_renews_or_ends_a_route(routes: RedisRoutes) -> None:
    held = await routes.put(PRO, FLASH, "incident-1", LONG)
    assert not await routes.renew(PRO, "incident-2", 2 * LONG)
    await routes.drop(PRO, "incident-2")
    assert await routes.routes() == (held,)
    assert await routes.renew(PRO, "incident-1", 2 * LONG)
    assert (await routes.routes())[0].until > held.until
    await routes.drop(PRO, "incident-1")
    await routes.drop(PRO, "incident-1")
    assert await routes.routes() == ()


async def test_an_operator_ends_a_route_whoever_wrote_it(routes: RedisRoutes) -> None:
    await routes.put(PRO, FLASH, "incident-1", LONG)
    await routes.drop(PRO)
    assert await routes.routes() == ()


async def test_without_redis_no_route_is_known(prefix: str) -> None:
    away = RedisGuards.connect("redis://127.0.0.1:1/0", prefix=prefix, timeout=timedelta(milliseconds=200))
    with pytest.raises(StoreUnavailable):
        await RedisRoutes(away.store, prefix).routes()
    await away.close()
