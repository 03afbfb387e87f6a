"""Routes from the command line: listed, and ended by hand."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from surefoot.reliability.routes import RedisRoutes
from surefoot.reliability.store import Store
from surefoot.settings import Settings
from tests.cli.conftest import Typed

PRO, FLASH = "gemini:gemini-2.5-pro", "gemini:gemini-2.5-flash"


@pytest.fixture
async def routes(settings: Settings) -> AsyncIterator[RedisRoutes]:
    store = Store.connect(settings.redis_url.get_secret_value(), timeout=timedelta(seconds=2))
    yield RedisRoutes(store, settings.key_prefix)
    await store.close()


async def test_routes_are_listed_with_the_incident_that_wrote_them(typed: Typed, routes: RedisRoutes) -> None:
    assert "runs are led around no model" in (await typed("routes")).out
    await routes.put(PRO, FLASH, "incident-1", timedelta(minutes=30))
    shown = await typed("routes")
    assert shown.code == 0
    assert [word for word in (PRO, FLASH, "incident-1") if word not in shown.out] == []
    (listed,) = (await typed("routes", "list", "--json")).document["routes"]
    assert (listed["model"], listed["to"], listed["incident"]) == (PRO, FLASH, "incident-1")


async def test_a_route_that_is_cleared_leads_nobody_any_more(typed: Typed, routes: RedisRoutes) -> None:
    await routes.put(PRO, FLASH, "incident-1", timedelta(minutes=30))
    (await typed("routes", "clear", "gemini:gemini-2.5-pr")).refuses(2, "not led around", f"did you mean '{PRO}'?")
    left = await typed("routes", "clear", PRO)
    assert (left.code, left.out) == (0, f"runs use {PRO} again\n")
    assert await routes.routes() == ()
    (await typed("routes", "clear", PRO)).refuses(2, "not led around")
    await routes.put(PRO, FLASH, "incident-1", timedelta(minutes=30))
    ended = (await typed("routes", "clear", PRO, "--json")).document
    assert (ended["model"], ended["ended"]["to"]) == (PRO, FLASH)


async def test_without_redis_nothing_is_cleared(typed: Typed) -> None:
    left = await typed("routes", "clear", PRO, REDIS_URL="redis://127.0.0.1:1/0")
    left.refuses(4, "127.0.0.1:1", "REDIS_URL")
