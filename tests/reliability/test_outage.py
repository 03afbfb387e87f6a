"""Redis away, silent, restarted without its scripts, or unwilling to write."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.tools import Claim
from surefoot.errors import InvalidInput, StoreUnavailable
from surefoot.ports import Fate, Proceed, Receipt, Refused
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.streams import RedisTextStream
from tests.reliability.given import CENT, LEASE, NEVER_ON_COUNT, TRIPS_AT_ONCE, begin, charge, held, reservation

PATIENCE = timedelta(milliseconds=200)


async def _unwilling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A Redis without memory left: it refuses each command, in the words of one."""
    while received := await reader.read(65536):
        commands = received.startswith(b"*") + received.count(b"\r\n*")
        writer.write(b"-ERR Error running script: -OOM command not allowed\r\n" * commands)
    writer.close()


@pytest.fixture(params=["refused", "silent", "unwilling"])
async def severed(request: pytest.FixtureRequest) -> AsyncIterator[RedisGuards]:
    """Guards of a worker whose Redis is not there, never answers, or refuses to write."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    if request.param == "silent":
        listening.listen()
    server = await asyncio.start_server(_unwilling, sock=listening) if request.param == "unwilling" else None
    found = RedisGuards.connect(f"redis://127.0.0.1:{port}/0", prefix="test", timeout=PATIENCE)
    yield found
    await found.close()
    if server:
        server.close()
    listening.close()


async def test_everything_with_money_or_effects_says_within_the_timeout_that_redis_is_away(
    severed: RedisGuards, guards: RedisGuards
) -> None:
    hold = held(await guards.reserve(reservation("h1", CENT)))
    entry = await guards.breaker.admit("orders", NEVER_ON_COUNT, "a")
    assert not isinstance(entry, Refused)
    claim = Claim(key="effect", owner="run/1", fence=1)
    async with asyncio.timeout(10 * PATIENCE.total_seconds() + 1):
        for waiting in (
            severed.reserve(reservation("h1", CENT)),
            severed.release(hold),
            severed.begin_model_call(hold, 1, NEVER_ON_COUNT),
            severed.end_model_call(entry.permit, Verdict.SUCCESS, None, charge(hold, CENT)),
            severed.mark_sent(claim, lands_within=LEASE),
            severed.renew(claim, LEASE),
            severed.complete_tool_call(claim, "done", entry.permit),
            severed.fail_tool_call(claim, entry.permit, Verdict.FAILURE, None, fate=Fate.CLEAR),
            severed.follow("effect", LEASE),
            RedisOffice(severed.store, "test").breakers(),
        ):
            with pytest.raises(StoreUnavailable, match=r"Redis at 127\.0\.0\.1:\d+ does not answer"):
                await waiting
    with pytest.raises(StoreUnavailable):
        await begin(severed)


async def test_a_read_goes_on_with_the_process_s_own_breaker_which_opens_no_incident(severed: RedisGuards) -> None:
    entry = await begin(severed, None, breaker=TRIPS_AT_ONCE)
    assert isinstance(entry, Proceed)
    assert entry.permit.local
    assert await severed.complete_tool_call(None, "read", entry.permit) == Receipt()
    failed = await severed.fail_tool_call(None, entry.permit, Verdict.FAILURE, None, fate=Fate.CLEAR)
    assert failed == Receipt()
    refused = await begin(severed, None, attempt=2, breaker=TRIPS_AT_ONCE)
    assert isinstance(refused, Refused)
    assert (refused.episode, refused.transition) == ("", None)


async def test_words_are_dropped_without_holding_up_the_model(severed: RedisGuards) -> None:
    stream = RedisTextStream(severed.store, "test")
    async with asyncio.timeout(PATIENCE.total_seconds() * 3 + 1):  # and a second for a busy machine
        for _ in range(20):
            await stream.publish("run", 1, "word ")


async def test_scripts_that_redis_has_lost_are_given_to_it_again(guards: RedisGuards, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.script_flush()
    answers = await asyncio.gather(*(guards.reserve(reservation(f"h{number}", CENT)) for number in range(5)))
    assert all(answer.hold for answer in answers)


async def test_a_cancelled_call_leaves_its_connection_fit_for_the_next(guards: RedisGuards) -> None:
    for number in range(20):
        task = asyncio.create_task(guards.reserve(reservation(f"cancelled-{number}", 1)))
        await asyncio.sleep(0.0002 * (number % 5))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        answer = await guards.reserve(reservation(f"h{number}", CENT, look_at="orders"))
        assert held(answer).id == f"h{number}"
        assert set(answer.breakers) == {"orders"}


async def test_many_followers_do_not_starve_the_holder(guards: RedisGuards) -> None:
    entry = await begin(guards, lease=timedelta(seconds=30))
    assert isinstance(entry, Proceed)
    followers = [asyncio.create_task(guards.follow("effect", timedelta(seconds=30))) for _ in range(150)]
    await asyncio.sleep(0.3)
    await guards.complete_tool_call(entry.claim, "done", entry.permit)
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(*followers)
    assert {outcome.content for outcome in outcomes if outcome} == {"done"}


@pytest.mark.parametrize(
    "url", ["127.0.0.1:6379", "http://localhost", "redis://localhost:port/0", "redis+cluster://a:port", ""]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="not an address of Redis"):
        RedisGuards.connect(url, prefix="test", timeout=PATIENCE)
