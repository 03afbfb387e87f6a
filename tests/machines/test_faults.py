"""Guards whose way to Redis fails: bounded in time, and the same after a repetition."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.tools import Claim
from surefoot.errors import StoreUnavailable
from surefoot.ports import Fate, Proceed, Receipt, Refused
from surefoot.reliability.guards import RedisGuards
from tests.machines.conftest import PATIENCE, UNHURRIED
from tests.machines.deeds import BEGINNINGS, DEEDS, Deed, given_by, refuse_everything, state_of, timeless
from tests.reliability.given import LEASE, TRIPS_AT_ONCE, begin
from tests.support.proxy import Direction, FaultProxy

FAULTS: dict[str, Callable[[FaultProxy], None]] = {
    "latency": lambda proxy: proxy.delay(UNHURRIED * 2),
    "black hole": FaultProxy.black_hole,
    "reset": FaultProxy.reset_connections,
    "half-closed": FaultProxy.half_close,
    "replies dropped": lambda proxy: proxy.drop_replies(1000),
    "replies dropped in silence": lambda proxy: proxy.drop_replies(1000, silently=True),
    "requests stalled": lambda proxy: proxy.stall(Direction.REQUESTS),
    "replies stalled": lambda proxy: proxy.stall(Direction.REPLIES),
}
BATCHES = 2
"""The most that a method sends, one after the other."""


async def refused_in_time(waiting: Awaitable[object], patience: timedelta) -> None:
    async with asyncio.timeout(BATCHES * patience.total_seconds() + 1):  # and a second for a busy machine
        with pytest.raises(StoreUnavailable, match=r"Redis at 127\.0\.0\.1:\d+ does not answer"):
            await waiting


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_guard_says_in_time_that_redis_is_away(
    direct: RedisGuards, guards: RedisGuards, proxy: FaultProxy, fault: str
) -> None:
    given = await given_by(direct)
    await guards.follow("nobody", LEASE)  # on a connection that is open already
    FAULTS[fault](proxy)
    await asyncio.gather(*(refused_in_time(deed(guards, given), PATIENCE) for deed in DEEDS.values()))


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_read_goes_on_with_the_process_s_own_breaker(
    guards: RedisGuards, proxy: FaultProxy, fault: str
) -> None:
    FAULTS[fault](proxy)
    async with asyncio.timeout(PATIENCE.total_seconds() + 1):
        entry = await begin(guards, None, breaker=TRIPS_AT_ONCE)
    assert isinstance(entry, Proceed)
    assert entry.permit.local
    failed = await guards.fail_tool_call(None, entry.permit, Verdict.FAILURE, None, fate=Fate.CLEAR)
    assert failed == Receipt()
    assert isinstance(await begin(guards, None, attempt=2, breaker=TRIPS_AT_ONCE), Refused)


@pytest.mark.parametrize("fault", FAULTS)
async def test_guards_go_on_when_the_network_is_healed(unhurried: RedisGuards, proxy: FaultProxy, fault: str) -> None:
    FAULTS[fault](proxy)
    beginnings = (begin(unhurried, f"effect {number}") for number in range(5))
    await asyncio.gather(*(refused_in_time(beginning, UNHURRIED) for beginning in beginnings))
    proxy.heal()
    entries = await asyncio.gather(*(begin(unhurried, f"new effect {number}") for number in range(5)))
    assert all(isinstance(entry, Proceed) for entry in entries)


async def repeated(deed: Callable[[], Awaitable[object]], proxy: FaultProxy, *, lose: int) -> object:
    """Do it, lose the reply of one of its batches, and do it again."""
    proxy.drop_replies(1, after=lose)
    with pytest.raises(StoreUnavailable):
        await deed()
    return await deed()


async def same_in_both_worlds(
    deed: Deed, calm: RedisGuards, guards: RedisGuards, proxy: FaultProxy, prefix: str, *, lose: int, refusing: bool
) -> None:
    """Do it in a world without a fault, and with a lost reply in an equal one, and compare."""
    known = RedisGuards(calm.store, f"{prefix}-calm")
    given_there, given_here = await given_by(known), await given_by(guards)
    if refusing:
        await refuse_everything(known)
        await refuse_everything(guards)
    expected = await deed(known, given_there)
    answer = await repeated(lambda: deed(guards, given_here), proxy, lose=lose)
    assert timeless(answer) == timeless(expected)
    assert timeless(await deed(guards, given_here)) == timeless(expected)
    assert await state_of(guards, prefix) == await state_of(known, f"{prefix}-calm")


@pytest.mark.parametrize("name", DEEDS)
async def test_a_call_whose_reply_was_lost_answers_the_same_when_it_is_repeated(
    direct: RedisGuards, unhurried: RedisGuards, proxy: FaultProxy, prefix: str, name: str
) -> None:
    await same_in_both_worlds(DEEDS[name], direct, unhurried, proxy, prefix, lose=0, refusing=False)


@pytest.mark.parametrize("lose", [0, 1])
@pytest.mark.parametrize("name", BEGINNINGS)
async def test_a_refusal_whose_reply_was_lost_puts_back_what_it_took(
    direct: RedisGuards, unhurried: RedisGuards, proxy: FaultProxy, prefix: str, name: str, lose: int
) -> None:
    await same_in_both_worlds(BEGINNINGS[name], direct, unhurried, proxy, prefix, lose=lose, refusing=True)


async def test_a_cancelled_call_ends_at_any_instant(direct: RedisGuards) -> None:
    """As a heartbeat's and a lease's keeper must, whose canceller waits for it."""

    async def keep_on() -> None:
        while True:
            await direct.renew(Claim(key="effect", owner="run/1", fence=1), LEASE)

    for number in range(200):
        keeping = asyncio.create_task(keep_on())
        await asyncio.sleep(number % 20 / 10_000)
        keeping.cancel()
        await asyncio.wait([keeping], timeout=2)
        assert keeping.cancelled()


async def test_scripts_lost_again_and_again_count_as_redis_being_away(own_redis: str, prefix: str) -> None:
    guards = RedisGuards.connect(own_redis, prefix=prefix, timeout=timedelta(seconds=2))

    async def forget() -> None:
        async with Redis.from_url(own_redis) as redis:
            for _ in range(300):
                await redis.script_flush()

    async with asyncio.TaskGroup() as group:
        forgetting = group.create_task(forget())
        while not forgetting.done():
            with suppress(StoreUnavailable):
                assert isinstance(await begin(guards, "effect"), Proceed)
    assert isinstance(await begin(guards, "effect"), Proceed)
    await guards.close()
