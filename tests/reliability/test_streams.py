"""The words of a running model call, followed from elsewhere."""

import asyncio

from redis.asyncio import Redis

from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.streams import KEPT, PIECES, Piece, RedisTextStream


async def _read(stream: RedisTextStream, count: int, after: str = "0") -> list[Piece]:
    pieces: list[Piece] = []
    async with asyncio.timeout(5):
        async for piece in stream.follow("run", after):
            pieces.append(piece)
            if len(pieces) == count:
                return pieces
    return pieces


async def test_a_reader_gets_what_was_said_before_and_what_is_said_now(guards: RedisGuards, prefix: str) -> None:
    stream = RedisTextStream(guards.store, prefix)
    await stream.publish("run", 1, "Hello ")
    reading = asyncio.create_task(_read(stream, 3))
    await asyncio.sleep(0.05)
    await stream.publish("run", 1, "wörld")
    await stream.publish("run", 2, "Bye")
    assert [(piece.turn, piece.text) for piece in await reading] == [(1, "Hello "), (1, "wörld"), (2, "Bye")]


async def test_a_reader_that_was_cut_off_goes_on_where_it_was(guards: RedisGuards, prefix: str) -> None:
    stream = RedisTextStream(guards.store, prefix)
    for text in ("a", "b", "c"):
        await stream.publish("run", 1, text)
    first = await _read(stream, 1)
    assert [piece.text for piece in await _read(stream, 2, after=first[0].id)] == ["b", "c"]


async def test_runs_do_not_hear_each_other(guards: RedisGuards, prefix: str) -> None:
    stream = RedisTextStream(guards.store, prefix)
    await stream.publish("other run", 1, "secret")
    await stream.publish("run", 1, "mine")
    assert [piece.text for piece in await _read(stream, 1)] == ["mine"]


async def test_a_stream_is_short_and_forgotten(guards: RedisGuards, redis_url: str, prefix: str) -> None:
    stream = RedisTextStream(guards.store, prefix)
    await asyncio.gather(*(stream.publish("run", 1, f"{number} ") for number in range(PIECES + 500)))
    await stream.publish("run", 1, "")
    key = f"{prefix}:text:{{run}}"
    async with Redis.from_url(redis_url) as redis:
        assert PIECES <= await redis.xlen(key) < PIECES + 200
        assert 0 < await redis.ttl(key) <= KEPT.total_seconds()
