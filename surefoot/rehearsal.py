"""What the demo and the drills share: short times, their own stack's Temporal, and waiting for what has to come."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal, TypeVar

from temporalio.client import Client

from surefoot.client.payloads import converter
from surefoot.errors import SurefootError
from surefoot.settings import Settings

T = TypeVar("T")

SHORT_TIMES = {"SUREFOOT_ENV": "development", "SUREFOOT_HEARTBEAT": "3s", "SUREFOOT_STICKY": "500ms"}
"""So that a lost worker is noticed while one watches; production waits 5 s."""
PATIENCE = timedelta(seconds=30)
"""A step that takes longer has failed."""
LOOK = 0.05
"""Seconds between two looks."""


class Broken(SurefootError):
    """A step did not do what it says."""


async def connect(settings: Settings) -> Client:
    """To the stack's own server, whatever Temporal's environment variables and profiles say."""
    if settings.temporal_address is None:
        raise Broken("the stack has no Temporal")
    return await Client.connect(
        settings.temporal_address, namespace=settings.temporal_namespace, data_converter=converter(settings)
    )


async def until(ask: Callable[[], Awaitable[T | Literal[False]]], what: str, within: timedelta = PATIENCE) -> T:
    """Ask until the answer is truthy. Raises ``Broken`` if it is not in time."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            while not (answer := await ask()):  # noqa: ASYNC110  # other processes make it so
                await asyncio.sleep(LOOK)
            return answer
    except TimeoutError:
        raise Broken(f"waited {within.total_seconds():g} s in vain for {what}") from None
