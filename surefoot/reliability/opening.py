"""A way to Redis for whoever may wait longer for an answer than a worker's guards do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from surefoot.reliability.store import Store
from surefoot.settings import Settings

PATIENCE = timedelta(seconds=2)
"""No model call waits behind a person's command, and what is large takes its time."""


def patient_store(settings: Settings) -> Store:
    return Store.connect(settings.redis_url.get_secret_value(), timeout=max(settings.store_timeout, PATIENCE))


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    """The same, closed when the block ends."""
    store = patient_store(settings)
    try:
        yield store
    finally:
        await store.close()
