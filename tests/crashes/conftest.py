"""A scene for each test, with the storm's short profiles."""

import pytest
from temporalio.client import Client

from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.chaos.stage import AGENTS
from tests.crashes.scene import Scene


@pytest.fixture
def scene(settings: Settings, temporal_client: Client, simulator: SimulatorClient, unique: str) -> Scene:
    return Scene(settings.model_copy(update={"agents_dir": AGENTS}), temporal_client, simulator, f"t-{unique}")
