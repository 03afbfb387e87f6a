"""Batches of many callers over few connections: each reads its own replies, or none."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from surefoot.embedded.redis import Redis as Server
from surefoot.errors import StoreUnavailable
from surefoot.reliability.connections import CALLERS
from surefoot.reliability.store import Row, Step, Store
from tests.reliability.conftest import TIMEOUT
from tests.support.proxy import proxy_to

HOST = "127.0.0.1"
BRIEFLY = timedelta(milliseconds=10)
ROUNDS = 50
"""Of resets."""


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Store]:
    found = Store.connect(redis_url, timeout=TIMEOUT)
    yield found
    await found.close()


def say(word: str) -> Step[str]:
    return Step(("ECHO", word), lambda row: row[0])


async def test_each_of_many_callers_hears_what_it_said_while_others_give_up(store: Store) -> None:
    async def twice(number: int) -> list[str]:
        return await store.many([say(f"{number} a"), say(f"{number} b" * 100)])

    tasks = [asyncio.create_task(twice(number)) for number in range(CALLERS * 5)]
    for task in tasks[::3]:
        await asyncio.sleep(0)
        task.cancel()
    heard = await asyncio.gather(*tasks, return_exceptions=True)
    for number, words in enumerate(heard):
        given_up = number % 3 == 0 and isinstance(words, asyncio.CancelledError)
        assert given_up or words == [f"{number} a", f"{number} b" * 100]


async def test_no_more_connections_are_made_than_callers_may_have(redis: Server) -> None:
    store = Store.connect(redis.url, timeout=5 * TIMEOUT)  # each connection costs Redis and the machine a while
    async with Redis.from_url(redis.url, decode_responses=True) as asking:
        await asyncio.gather(*(store.one(say(str(number))) for number in range(CALLERS * 3)))
        made = int((await asking.info("clients"))["connected_clients"]) - 1
    await store.close()
    assert 1 < made <= CALLERS


async def test_a_connection_that_the_server_has_closed_is_replaced(store: Store, redis_url: str) -> None:
    name = await store.one(Step(("CLIENT", "ID"), lambda row: row[0]))
    async with Redis.from_url(redis_url) as redis:
        await redis.client_kill_filter(_id=name)
    await asyncio.sleep(0.02)
    assert await store.one(say("again")) == "again"


async def test_a_connection_that_was_reset_while_it_was_idle_is_replaced(redis_url: str) -> None:
    async with proxy_to(redis_url) as (proxy, url):
        store = Store.connect(url, timeout=TIMEOUT)
        await store.one(say("once"))
        proxy.reset_connections()
        proxy.heal()
        await asyncio.sleep(0.02)
        assert await store.one(say("again")) == "again"
        await store.close()


async def test_a_follower_whose_connection_was_reset_hears_that_redis_is_away(redis_url: str, prefix: str) -> None:
    async with proxy_to(redis_url) as (proxy, url):
        store = Store.connect(url, timeout=TIMEOUT)
        await store.pop(prefix, BRIEFLY)
        proxy.reset_connections()
        proxy.heal()
        await asyncio.sleep(0.02)
        with pytest.raises(StoreUnavailable):
            await store.pop(prefix, BRIEFLY)
        assert await store.pop(prefix, BRIEFLY) is None
        await store.close()


async def test_connections_that_break_at_any_moment_fail_as_an_absent_redis_does(redis_url: str) -> None:
    heard: Counter[str] = Counter()

    async def talk(store: Store) -> None:
        for number in range(ROUNDS * 2):
            try:
                assert await store.many([say(f"{number}")] * (1 + number % 50)) == [f"{number}"] * (1 + number % 50)
                heard["answers"] += 1
            except StoreUnavailable:
                heard["failures"] += 1
            await asyncio.sleep(0.001)

    async with proxy_to(redis_url) as (proxy, url), asyncio.TaskGroup() as tasks:
        store = Store.connect(url, timeout=TIMEOUT)
        talking = [tasks.create_task(talk(store)) for _ in range(CALLERS // 2)]
        for number in range(ROUNDS):
            await asyncio.sleep(0.001 * (number % 7))
            proxy.reset_connections()
            await asyncio.sleep(0.001 * (number % 3))
            proxy.heal()
        await asyncio.wait(talking)
        await store.close()
    assert heard["answers"]
    assert heard["failures"]


async def test_an_error_among_the_replies_leaves_the_others_in_their_places(store: Store, prefix: str) -> None:
    wrong = Step(("LPUSH", prefix, 1), lambda row: row)
    first = Step(("SET", prefix, "text"), lambda row: row)
    with pytest.raises(Exception, match="WRONGTYPE"):
        await store.many([first, wrong])
    assert await store.one(say("next")) == "next"


async def _talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers each command, and adds what nobody asked for."""
    count = 0
    while await reader.read(65536):
        count += 1
        writer.write(f"+answer {count}\r\n+unasked\r\n".encode())
    writer.close()


async def test_a_reply_that_nobody_asked_for_is_nobody_s() -> None:
    server = await asyncio.start_server(_talkative, HOST, 0)
    store = Store.connect(f"redis://{HOST}:{server.sockets[0].getsockname()[1]}/0", timeout=TIMEOUT)
    assert [await store.one(say("word")) for _ in range(3)] == ["answer 1"] * 3
    await store.close()
    server.close()


async def _mumbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begins its answer, and ends it only when it is asked again."""
    while await reader.read(65536):
        writer.write(b"$6\r\nsec")
    writer.close()


async def test_half_a_reply_is_thrown_away_with_its_connection() -> None:
    server = await asyncio.start_server(_mumbling, HOST, 0)
    store = Store.connect(f"redis://{HOST}:{server.sockets[0].getsockname()[1]}/0", timeout=timedelta(milliseconds=50))
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.one(say("word"))
    await store.close()
    server.close()


async def test_text_of_every_language_and_length_arrives_whole(store: Store) -> None:
    words = ["", "naïve", "日本語 \r\n🙂", "x" * 300_000]
    rows: list[Row] = await store.send([say(word) for word in words])
    assert rows == [[word] for word in words]
