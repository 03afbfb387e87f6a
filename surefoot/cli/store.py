"""A command's way to Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from surefoot.reliability.store import Store
from surefoot.settings import Settings

PATIENCE = timedelta(seconds=2)
"""No model call waits behind a person's command, so it may wait longer for an answer than a worker does."""


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    store = Store.connect(settings.redis_url.get_secret_value(), timeout=max(settings.store_timeout, PATIENCE))
    try:
        yield store
    finally:
        await store.close()
