"""Large payloads travel by reference, whatever keeps them: worker and client read them alike."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.converter import DataConverter

from surefoot import rehearsal
from surefoot.client.connection import connect
from surefoot.client.payloads import converter
from surefoot.errors import InvalidInput, NotFound
from surefoot.settings import Settings
from tests.support.s3 import Shelf
from tests.workflows.at_length import PAGE, PROFILE, library, reading
from tests.workflows.conftest import Ask
from tests.workflows.test_transcripts import size

THRESHOLD = 2048


@dataclass(frozen=True)
class Place:
    """A store, seen past the product."""

    settings: Settings
    count: Callable[[], Awaitable[int]]
    damage: Callable[[], Awaitable[None]]
    lose: Callable[[], Awaitable[None]]


@pytest.fixture
async def in_redis(settings: Settings, redis_url: str, prefix: str) -> AsyncIterator[Place]:
    async with Redis.from_url(redis_url) as redis:

        async def keys() -> list[bytes]:
            return [key async for key in redis.scan_iter(match=f"{prefix}:blob:*")]

        async def count() -> int:
            return len(await keys())

        async def damage() -> None:
            for key in await keys():
                await redis.set(key, "eJwDAAAAAAE=")  # nothing, compressed

        async def lose() -> None:
            await redis.delete(*await keys())

        found = settings.model_copy(update={"payload_store": "redis", "payload_threshold": THRESHOLD})
        yield Place(found, count, damage, lose)


@pytest.fixture
def in_s3(settings: Settings, shelf: Shelf) -> Place:
    async def count() -> int:
        return len(shelf.keys())

    async def damage() -> None:
        shelf.damage()

    async def lose() -> None:
        shelf.lose()

    chosen = {"payload_store": "s3", "payload_bucket": shelf.bucket, "payload_threshold": THRESHOLD}
    return Place(settings.model_copy(update=chosen), count, damage, lose)


@pytest.fixture(params=["in_redis", "in_s3"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def client(place: Place) -> Client:
    return await connect(place.settings)


async def test_a_run_with_large_payloads_leaves_a_small_history_that_every_client_can_read(
    place: Place, client: Client, ask: Ask
) -> None:
    async with library(place.settings, client) as surefoot:
        started = await surefoot.start(ask(reading(8), PROFILE))
        result = await surefoot.result(started.run)
        said = (await surefoot.conversation(started.run)).messages
        recorded = await client.get_workflow_handle(started.run).fetch_history()
    assert result.turns == 9
    assert len(said) == 18
    assert size(recorded) < 8 * 2 * PAGE * 2 // 3  # each page is told twice
    assert await place.count() >= 8


async def test_a_payload_is_kept_once_and_its_loss_is_told(place: Place) -> None:
    kept = converter(place.settings)
    large, small = "x" * THRESHOLD, "y"
    (first, inline), (second,) = await kept.encode([large, small]), await kept.encode([large])
    assert first.data == second.data
    assert await kept.decode([first, inline]) == [large, small]
    assert await place.count() == 1
    await place.lose()
    with pytest.raises(NotFound, match="any more"):
        await kept.decode([first])


async def test_another_payload_in_its_place_is_not_taken_for_it(place: Place) -> None:
    kept = converter(place.settings)
    (stored,) = await kept.encode(["x" * THRESHOLD])
    await place.damage()
    with pytest.raises(NotFound):
        await kept.decode([stored])


async def test_a_payload_that_is_far_too_large_is_refused(place: Place) -> None:
    with pytest.raises(InvalidInput, match=r"\d{8} bytes"):
        await converter(place.settings).encode(["x" * 33 * 1024 * 1024])
    assert await place.count() == 0


@pytest.mark.parametrize("connected", [connect, rehearsal.connect])
async def test_every_program_of_ours_reads_what_is_kept(
    place: Place, connected: Callable[[Settings], Awaitable[Client]]
) -> None:
    large = "x" * THRESHOLD
    kept = await converter(place.settings).encode([large])
    assert await (await connected(place.settings)).data_converter.decode(kept) == [large]


async def test_what_one_store_kept_is_read_when_another_is_set(in_redis: Place, in_s3: Place) -> None:
    def chosen(store: str) -> DataConverter:
        return converter(in_s3.settings.model_copy(update={"payload_store": store}))

    large = "x" * THRESHOLD
    kept = [payload for store in ("redis", "s3", "inline") for payload in await chosen(store).encode([large])]
    assert (await in_redis.count(), await in_s3.count()) == (1, 1)
    assert [payload.ByteSize() < THRESHOLD for payload in kept] == [True, True, False]
    for store in ("redis", "s3", "inline"):
        assert await chosen(store).decode(kept) == [large] * 3
