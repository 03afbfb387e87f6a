"""The command line's connection to Temporal."""

from datetime import timedelta
from functools import cache

from temporalio.runtime import Runtime, TelemetryConfig

from surefoot.client import SurefootClient
from surefoot.client.base import ANSWER_WITHIN
from surefoot.settings import Settings


@cache
def quiet() -> Runtime:
    """One whose library does not write to the terminal: what is wrong is told by an error, in one line."""
    return Runtime(telemetry=TelemetryConfig(logging=None))


async def call(settings: Settings, *, answer_within: timedelta = ANSWER_WITHIN) -> SurefootClient:
    """Connect as the settings say; raises ``Unreachable``."""
    return await SurefootClient.connect(settings, answer_within=answer_within, runtime=quiet())
