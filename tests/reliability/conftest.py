"""Two workers' guards on the session's Redis."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from surefoot.reliability.breaker import Breaker
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.local_breaker import LocalBreaker

TIMEOUT = timedelta(seconds=2)


@pytest.fixture
async def guards(redis_url: str, prefix: str) -> AsyncIterator[RedisGuards]:
    found = RedisGuards.connect(redis_url, prefix=prefix, timeout=TIMEOUT)
    yield found
    await found.close()


@pytest.fixture
async def other_guards(redis_url: str, prefix: str) -> AsyncIterator[RedisGuards]:
    """Another worker's, on connections of its own."""
    found = RedisGuards.connect(redis_url, prefix=prefix, timeout=TIMEOUT)
    yield found
    await found.close()


@pytest.fixture(params=["redis", "local"])
def breaker(request: pytest.FixtureRequest, guards: RedisGuards) -> Breaker:
    """Both breakers keep the same rules."""
    return guards.breaker if request.param == "redis" else LocalBreaker()
