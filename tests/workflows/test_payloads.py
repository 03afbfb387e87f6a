"""Large payloads travel by reference: worker and client read them alike."""

import pytest
from redis.asyncio import Redis
from temporalio.client import Client

from surefoot.client.connection import connect
from surefoot.client.payloads import by_reference
from surefoot.errors import NotFound
from surefoot.reliability.blobs import RedisBlobs
from surefoot.reliability.guards import RedisGuards
from surefoot.settings import Settings
from tests.workflows.at_length import PAGE, PROFILE, library, reading
from tests.workflows.conftest import Ask
from tests.workflows.test_transcripts import size

THRESHOLD = 2048


@pytest.fixture
def sparing(settings: Settings) -> Settings:
    return settings.model_copy(update={"payload_store": "redis", "payload_threshold": THRESHOLD})


@pytest.fixture
async def client(sparing: Settings) -> Client:
    return await connect(sparing)


async def test_a_run_with_large_payloads_leaves_a_small_history_that_every_client_can_read(
    sparing: Settings, client: Client, ask: Ask
) -> None:
    async with library(sparing, client) as surefoot:
        started = await surefoot.start(ask(reading(8), PROFILE))
        result = await surefoot.result(started.run)
        said = (await surefoot.conversation(started.run)).messages
        recorded = await client.get_workflow_handle(started.run).fetch_history()
    assert result.turns == 9
    assert len(said) == 18
    assert size(recorded) < 8 * 2 * PAGE * 2 // 3  # each page is told twice


async def test_a_payload_is_kept_once_and_its_loss_is_told(redis_url: str, prefix: str, sparing: Settings) -> None:
    guards = RedisGuards.connect(redis_url, prefix=prefix, timeout=sparing.store_timeout)
    converter = by_reference(RedisBlobs(guards.store, prefix), above=THRESHOLD)
    large, small = "x" * THRESHOLD, "y"
    (first, inline), (second,) = await converter.encode([large, small]), await converter.encode([large])
    assert first.data == second.data
    assert await converter.decode([first, inline]) == [large, small]
    async with Redis.from_url(redis_url) as redis:
        keys = [key async for key in redis.scan_iter(match=f"{prefix}:blob:*")]
        assert len(keys) == 1
        await redis.delete(*keys)
    with pytest.raises(NotFound, match="not in the store any more"):
        await converter.decode([first])
    await guards.close()
