"""Ways to talk to the test's world."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from google import genai
from google.genai import types
from mistralai.client import Mistral

from surefoot.simulator.client import SimulatorClient
from surefoot.tls import trusted


@pytest.fixture
async def http(simulator: SimulatorClient) -> AsyncIterator[httpx2.AsyncClient]:
    """A plain client, with keys that both providers take."""
    keys = {"x-goog-api-key": "simulator", "authorization": "Bearer simulator"}
    async with httpx2.AsyncClient(base_url=simulator.url, timeout=5, headers=keys, verify=trusted()) as client:
        yield client


@pytest.fixture
async def google(simulator: SimulatorClient) -> AsyncIterator[genai.Client]:
    """Google's own SDK."""
    client = genai.Client(api_key="simulator", http_options=types.HttpOptions(base_url=simulator.gemini_url))
    yield client
    await client.aio.aclose()
    client.close()


@pytest.fixture
async def mistral(simulator: SimulatorClient) -> AsyncIterator[Mistral]:
    """Mistral's own SDK."""
    async with Mistral(api_key="simulator", server_url=simulator.mistral_url) as client:
        yield client
