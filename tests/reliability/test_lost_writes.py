"""A store that has lost its newest writes is noticed by the money that it should hold; nothing else is taken for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis as Connection

from surefoot.contracts.budgets import Hold, HoldTimes, ScopeKind
from surefoot.contracts.models import ModelBooking
from surefoot.ports import Receipt
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from tests.reliability.conftest import TIMEOUT
from tests.reliability.given import CENT, NEVER_ON_COUNT, SHORT, act, books, charge, held, reservation, session
from tests.support.replicas import Pair, replicated

LAPSED = SHORT.total_seconds() + 0.02


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with replicated(tmp_path) as found:
        yield found


async def hold(guards: RedisGuards, hold_id: str) -> Hold:
    return held(await guards.reserve(reservation(hold_id, CENT)))


async def send(guards: RedisGuards, given: Hold, attempt: int = 1) -> None:
    await guards.begin_model_call(given, attempt, NEVER_ON_COUNT)


async def settle(guards: RedisGuards, given: Hold, cost: int = CENT, attempt: int = 1) -> Receipt:
    return await guards.book(ModelBooking(charge=charge(given, cost, attempt)))


async def epoch(guards: RedisGuards) -> str:
    return (await hold(guards, "a look")).epoch


async def test_money_held_in_writes_that_a_promoted_replica_never_saw_is_booked_and_the_loss_is_told_once(
    pair: Pair, prefix: str
) -> None:
    before = RedisGuards.connect(pair.primary.url, prefix=prefix, timeout=TIMEOUT)
    kept = await hold(before, "kept")
    await send(before, kept)
    await pair.caught_up()
    pair.lag()
    lost = [await hold(before, f"lost {number}") for number in range(2)]
    for each in lost:
        await send(before, each)
    await before.close()
    await pair.fail_over()

    after = RedisGuards.connect(pair.replica.url, prefix=prefix, timeout=TIMEOUT)
    sound = await settle(after, kept)
    first, again, second = [await settle(after, each) for each in (lost[0], lost[0], lost[1])]
    assert sound.store == kept.epoch == lost[0].epoch
    assert first.store == again.store == second.store == await epoch(after)
    assert first.store.endswith("-lost")
    assert (await books(after, prefix)).settled == 3 * CENT
    await after.close()


async def test_a_hold_that_a_promoted_replica_never_saw_is_missed_when_its_call_begins(pair: Pair, prefix: str) -> None:
    before = RedisGuards.connect(pair.primary.url, prefix=prefix, timeout=TIMEOUT)
    await hold(before, "kept")
    await pair.caught_up()
    pair.lag()
    lost = await hold(before, "lost")
    await before.close()
    await pair.fail_over()

    after = RedisGuards.connect(pair.replica.url, prefix=prefix, timeout=TIMEOUT)
    await send(after, lost)
    told = await settle(after, lost)
    assert told.store != lost.epoch
    assert await epoch(after) == told.store
    assert (await books(after, prefix)).settled == CENT
    await after.close()


async def test_a_charge_for_a_hold_that_was_never_given_is_booked_and_told(guards: RedisGuards, prefix: str) -> None:
    given = await hold(guards, "given")
    told = await settle(guards, given.model_copy(update={"id": "invented"}))
    assert told.store != given.epoch
    assert (await books(guards, prefix)).settled == CENT


Story = Callable[[RedisGuards, Hold], Awaitable[object]]


async def settled_twice(guards: RedisGuards, given: Hold) -> None:
    await send(guards, given)
    await settle(guards, given)
    await settle(guards, given)


async def settled_after_the_end_of_its_run(guards: RedisGuards, given: Hold) -> None:
    await send(guards, given)
    await guards.close_hold(given)
    await settle(guards, given)


async def closed_before_it_was_sent(guards: RedisGuards, given: Hold) -> None:
    await guards.close_hold(given)
    await settle(guards, given)


async def overtaken_by_a_later_attempt(guards: RedisGuards, given: Hold) -> None:
    await send(guards, given)
    await send(guards, given, attempt=2)
    await settle(guards, given, attempt=2)
    await settle(guards, given)


async def tried_again_after_a_failure(guards: RedisGuards, given: Hold) -> None:
    await send(guards, given)
    await settle(guards, given)
    await send(guards, given, attempt=2)
    await settle(guards, given, attempt=2)


async def released_and_booked_as_unsent(guards: RedisGuards, given: Hold) -> None:
    await guards.release(given)
    await settle(guards, given, cost=0)


@pytest.mark.parametrize(
    "story",
    [
        settled_twice,
        settled_after_the_end_of_its_run,
        closed_before_it_was_sent,
        overtaken_by_a_later_attempt,
        tried_again_after_a_failure,
        released_and_booked_as_unsent,
    ],
)
async def test_a_hold_that_ended_is_no_loss(guards: RedisGuards, story: Story) -> None:
    given = await hold(guards, "given")
    await story(guards, given)
    assert await epoch(guards) == given.epoch


async def test_a_hold_that_expired_is_no_loss(redis_url: str, prefix: str) -> None:
    store = Store.connect(redis_url, timeout=TIMEOUT)
    brief = RedisGuards(store, prefix, hold_times=HoldTimes(reserved=SHORT, sent=2 * SHORT))
    unused, used = await hold(brief, "unused"), await hold(brief, "used")
    await send(brief, used)
    await asyncio.sleep(2 * LAPSED)
    known = await epoch(brief)  # sweeps what expired
    await RedisOffice(store, prefix).reset_budget("acme", ScopeKind.SESSION, session().subject, session().budget, act())
    await send(brief, unused)
    await settle(brief, used)
    assert await epoch(brief) == known == used.epoch
    await brief.close()


async def test_a_wipe_is_told_as_a_wipe(guards: RedisGuards, redis_url: str, prefix: str) -> None:
    given = await hold(guards, "given")
    await send(guards, given)
    async with Connection.from_url(redis_url) as connection:
        await connection.delete(*[key async for key in connection.scan_iter(match=f"{prefix}*")])
    told = await settle(guards, given)
    assert told.store not in ("", given.epoch)
    assert not told.store.endswith("-lost")
    assert await epoch(guards) == told.store


async def test_a_run_without_budgets_misses_nothing(guards: RedisGuards) -> None:
    given = held(await guards.reserve(reservation("free", CENT, scopes=())))
    await send(guards, given)
    assert (await settle(guards, given)).store == given.epoch
