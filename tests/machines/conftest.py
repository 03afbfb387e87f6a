"""A private Redis of each version found, with and without a fault proxy before it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from surefoot.reliability.guards import RedisGuards
from tests.machines import servers
from tests.support.proxy import FaultProxy, proxy_to

PATIENCE = timedelta(milliseconds=150)
"""The timeout of guards behind the proxy."""
UNHURRIED = timedelta(seconds=2)
"""That of guards that must not fail because others share the machine."""


@pytest.fixture(scope="session", params=servers.programs(), ids=lambda program: f"redis-{program.version}")
async def own_redis(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a Redis that this test process alone uses."""
    child, url = await servers.start(request.param, tmp_path_factory.mktemp("redis") / "log")
    yield url
    await child.stop()


@pytest.fixture
async def direct(redis_url: str, prefix: str) -> AsyncIterator[RedisGuards]:
    """Guards that no fault reaches."""
    found = RedisGuards.connect(redis_url, prefix=prefix, timeout=UNHURRIED)
    yield found
    await found.close()


@pytest.fixture
async def proxied(redis_url: str) -> AsyncIterator[tuple[FaultProxy, str]]:
    async with proxy_to(redis_url) as found:
        yield found


@pytest.fixture
def proxy(proxied: tuple[FaultProxy, str]) -> FaultProxy:
    """Before the session's Redis."""
    return proxied[0]


@pytest.fixture
async def unhurried(proxied: tuple[FaultProxy, str], prefix: str) -> AsyncIterator[RedisGuards]:
    """As ``guards``, with time for whoever shares the machine."""
    found = RedisGuards.connect(proxied[1], prefix=prefix, timeout=UNHURRIED)
    yield found
    await found.close()


@pytest.fixture
async def guards(proxied: tuple[FaultProxy, str], prefix: str) -> AsyncIterator[RedisGuards]:
    """Guards whose connections pass through the proxy."""
    found = RedisGuards.connect(proxied[1], prefix=prefix, timeout=PATIENCE)
    yield found
    await found.close()
