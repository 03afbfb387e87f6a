"""One breaker for the whole fleet: what two workers see of each other, under races."""

import asyncio
import json
import subprocess
import sys
from datetime import timedelta

from redis.asyncio import Redis

from surefoot.contracts.breakers import BreakerPolicy, BreakerState, Transition, Verdict
from surefoot.ports import Admitted, Refused
from surefoot.reliability.guards import RedisGuards
from tests.reliability.given import QUICK, SHORT, TRIPS_AT_ONCE, admitted

REPORT_FIVE_FAILURES = """
import asyncio, sys
from datetime import timedelta
from surefoot.contracts.breakers import BreakerPolicy, Verdict
from surefoot.reliability.guards import RedisGuards

async def main(url, prefix):
    guards = RedisGuards.connect(url, prefix=prefix, timeout=timedelta(seconds=2))
    for number in range(5):
        admitted = await guards.breaker.admit("orders", BreakerPolicy(), f"f{number}")
        await guards.breaker.report(admitted.permit, Verdict.FAILURE, None)
    await guards.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def _trip(guards: RedisGuards, policy: BreakerPolicy = QUICK) -> Transition:
    permit = await admitted(guards.breaker, "trip", policy)
    transition = await guards.breaker.report(permit, Verdict.FAILURE, None)
    assert transition is not None
    return transition


async def test_a_trip_in_one_process_refuses_the_next_call_in_another(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    command = [sys.executable, "-c", REPORT_FIVE_FAILURES, redis_url, prefix]
    await asyncio.to_thread(subprocess.run, command, check=True)
    assert isinstance(await guards.breaker.admit("orders", BreakerPolicy(), "next"), Refused)


async def test_one_probe_goes_through_among_twenty_callers_of_two_workers(
    guards: RedisGuards, other_guards: RedisGuards
) -> None:
    await _trip(guards)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    entries = await asyncio.gather(
        *((guards, other_guards)[number % 2].breaker.admit("orders", QUICK, f"caller-{number}") for number in range(20))
    )
    through = [entry for entry in entries if isinstance(entry, Admitted)]
    assert len(through) == 1
    assert through[0].transition is not None


async def test_each_transition_is_told_once_among_fifty_racing_reporters(
    guards: RedisGuards, other_guards: RedisGuards
) -> None:
    workers = (guards.breaker, other_guards.breaker)
    policy = BreakerPolicy(failures=5, open_for=SHORT)
    permits = [await admitted(guards.breaker, f"f{number}", policy) for number in range(50)]
    told = await asyncio.gather(
        *(workers[number % 2].report(permit, Verdict.FAILURE, None) for number, permit in enumerate(permits))
    )
    opened = [transition for transition in told if transition]
    assert [transition.after for transition in opened] == [BreakerState.OPEN]

    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    entries = await asyncio.gather(*(workers[n % 2].admit("orders", policy, f"p{n}") for n in range(50)))
    probes = [entry for entry in entries if isinstance(entry, Admitted)]
    told = await asyncio.gather(*(workers[n % 2].report(probes[0].permit, Verdict.SUCCESS, None) for n in range(2)))
    assert [probe.transition is not None for probe in probes] == [True]
    assert told[0] is not None
    assert told[0] == told[1], "the same report twice is one lost reply, not two transitions"


async def test_episodes_differ_after_redis_was_wiped(guards: RedisGuards, redis_url: str, prefix: str) -> None:
    before = await _trip(guards)
    async with Redis.from_url(redis_url) as redis:
        await redis.delete(*[key async for key in redis.scan_iter(match=f"{prefix}:*")])
    await asyncio.sleep(0.002)
    after = await _trip(guards)
    assert after.episode != before.episode


async def test_a_closed_breaker_is_forgotten_after_a_day_and_an_open_one_is_not(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    key = f"{prefix}:breaker:{{orders}}"
    async with Redis.from_url(redis_url) as redis:
        await _trip(guards)
        assert await redis.ttl(key) == -1
        await asyncio.sleep(SHORT.total_seconds() + 0.02)
        probe = await admitted(guards.breaker, "probe", QUICK)
        await guards.breaker.report(probe, Verdict.SUCCESS, None)
        assert 86_300 < await redis.ttl(key) <= 86_400


async def test_a_healthy_breaker_keeps_its_last_successes_alone_and_not_for_ever(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    for number in range(300):
        permit = await admitted(guards.breaker, f"call-{number}", TRIPS_AT_ONCE)
        await guards.breaker.report(permit, Verdict.SUCCESS, None)
    kept = f"{prefix}:breaker:{{orders}}:successes"
    async with Redis.from_url(redis_url) as redis:
        assert [key.decode() async for key in redis.scan_iter(match=f"{prefix}:breaker:*")] == [kept]
        assert await redis.zcard(kept) == 256
        assert await redis.pttl(kept) > 0


async def test_the_last_transitions_are_kept_with_their_reasons(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    for number in range(20):
        await guards.breaker.force("orders", BreakerState.CLOSED, f"reset {number}", f"act-{number}")
    async with Redis.from_url(redis_url) as redis:
        kept = [json.loads(item) for item in await redis.lrange(f"{prefix}:breaker:{{orders}}:transitions", 0, -1)]
    assert [item[5] for item in kept] == [f"reset {number}" for number in range(19, 3, -1)]


async def test_a_retry_after_is_told_to_callers_of_the_other_worker(
    guards: RedisGuards, other_guards: RedisGuards
) -> None:
    await _trip(guards, TRIPS_AT_ONCE)
    refused = await other_guards.breaker.admit("orders", TRIPS_AT_ONCE, "b")
    assert isinstance(refused, Refused)
    assert refused.retry_after is not None
    assert refused.retry_after > timedelta(seconds=25)
