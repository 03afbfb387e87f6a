"""The channels of a test, pointed at the sinks of its world."""

from collections.abc import AsyncIterator

import pytest

from surefoot.incidents.channels.registry import Channels, channels
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.incidents.channels.notices import set_up


@pytest.fixture
async def sinks(settings: Settings, simulator: SimulatorClient) -> AsyncIterator[Channels]:
    """PagerDuty, Opsgenie, Slack and the webhook."""
    found = channels(set_up(settings, **simulator.channel_variables))
    yield found
    await found.aclose()
