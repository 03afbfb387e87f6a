"""A world of the session's simulator for each test here."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from surefoot.simulator.client import SimulatorClient
from tests.support.servers import address_of


@pytest.fixture
async def simulator(unique: str) -> AsyncIterator[SimulatorClient]:
    async with SimulatorClient(address_of("simulator"), unique) as client:
        yield client


@pytest.fixture
async def http(simulator: SimulatorClient) -> AsyncIterator[httpx2.AsyncClient]:
    """A plain client of the test's world."""
    async with httpx2.AsyncClient(base_url=simulator.url, timeout=5) as client:
        yield client
