"""Side effects: claimed, sent, done; replayed, followed, in doubt, unknown."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue
from redis.asyncio import Redis

from surefoot.contracts.breakers import Permit, Verdict
from surefoot.contracts.tools import Claim, ToolBooking
from surefoot.errors import InvalidInput, Superseded
from surefoot.ports import Busy, Doubtful, Fate, Proceed, Receipt, Replay
from surefoot.reliability.guards import RedisGuards
from tests.reliability.given import LEASE, SHORT, begin, proceeding

LAPSED = SHORT.total_seconds() + 0.02


async def fail(guards: RedisGuards, claim: Claim, fate: Fate, *, reached: bool = True) -> Receipt:
    return await guards.fail_tool_call(claim, None, Verdict.NEUTRAL, None, fate=fate, reached=reached)


async def test_the_first_caller_proceeds_and_a_later_one_gets_its_result(
    guards: RedisGuards, other_guards: RedisGuards
) -> None:
    claim, permit = proceeding(await begin(guards, mark_sent=True))
    await guards.complete_tool_call(claim, {"order": "A-1"}, permit)
    assert await begin(other_guards, owner="run/2") == Replay({"order": "A-1"}, 1)


@pytest.mark.parametrize("content", [None, "", 0, False, [], {"a": [1, 2.5, None]}, "Zürich ☂"])
async def test_a_result_is_replayed_as_it_was(guards: RedisGuards, content: JsonValue) -> None:
    claim, permit = proceeding(await begin(guards))
    await guards.complete_tool_call(claim, content, permit)
    assert await begin(guards, owner="run/2") == Replay(content, 0)


async def test_one_of_twenty_callers_proceeds(guards: RedisGuards, other_guards: RedisGuards) -> None:
    entries = await asyncio.gather(
        *(begin((guards, other_guards)[number % 2], owner=f"run/{number}") for number in range(20))
    )
    assert [type(entry) for entry in entries].count(Proceed) == 1
    assert [type(entry) for entry in entries].count(Busy) == 19


async def test_a_claim_whose_reply_was_lost_is_given_again(guards: RedisGuards) -> None:
    first, again = await begin(guards, mark_sent=True), await begin(guards, mark_sent=True)
    assert first == again
    assert proceeding(again)[0].attempts == 1


async def test_another_owner_is_told_how_long_the_lease_lasts(guards: RedisGuards) -> None:
    await begin(guards)
    busy = await begin(guards, owner="run/2")
    assert isinstance(busy, Busy)
    assert LEASE - timedelta(seconds=2) < busy.remaining <= LEASE


async def test_a_claim_that_was_never_sent_is_taken_over_without_doubt(guards: RedisGuards) -> None:
    await begin(guards, lease=SHORT)
    await asyncio.sleep(LAPSED)
    claim, _ = proceeding(await begin(guards, owner="run/2"))
    assert not claim.in_doubt
    assert claim.settle_after is None


async def test_a_claim_that_was_sent_is_taken_over_in_doubt_until_its_request_has_landed(guards: RedisGuards) -> None:
    before = datetime.now(UTC)
    claim, _ = proceeding(await begin(guards, lease=SHORT))
    await guards.mark_sent(claim, lands_within=SHORT)
    await asyncio.sleep(LAPSED)
    taken, _ = proceeding(await begin(guards, owner="run/2"))
    assert taken.in_doubt
    assert taken.settle_after is not None
    assert SHORT - timedelta(milliseconds=5) <= taken.settle_after - before < timedelta(seconds=2)


async def test_a_later_attempt_takes_over_its_own_dead_claim_at_once(guards: RedisGuards) -> None:
    first, _ = proceeding(await begin(guards, mark_sent=True))
    second, _ = proceeding(await begin(guards, attempt=2, mark_sent=True))
    assert second.fence > first.fence
    assert (second.attempts, second.in_doubt) == (2, True)


async def test_an_earlier_attempt_does_not_take_a_live_claim_from_a_later_one(guards: RedisGuards) -> None:
    await begin(guards, attempt=2)
    assert isinstance(await begin(guards, attempt=1), Busy)


async def test_a_stale_owner_may_not_send_renew_complete_or_fail(guards: RedisGuards) -> None:
    stale, permit = proceeding(await begin(guards))
    live, _ = proceeding(await begin(guards, attempt=2))
    with pytest.raises(Superseded):
        await guards.mark_sent(stale, lands_within=LEASE)
    assert not await guards.renew(stale, LEASE)
    assert (await guards.complete_tool_call(stale, "stale", permit)).superseded
    assert (await fail(guards, stale, Fate.UNKNOWN)).superseded
    assert not (await guards.complete_tool_call(live, "live", None)).superseded
    assert await begin(guards, owner="run/2") == Replay("live", 0)


async def test_marking_sent_counts_an_attempt_and_repeating_it_does_not(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards))
    once, again = [await guards.mark_sent(claim, lands_within=LEASE) for _ in range(2)]
    assert once == again
    assert (await guards.mark_sent(again, lands_within=LEASE)).attempts == 2


async def test_a_completion_repeated_changes_nothing(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards))
    receipts = [await guards.complete_tool_call(claim, content, None) for content in ("first", "second")]
    assert receipts == [Receipt(), Receipt()]
    assert await begin(guards) == Replay("first", 0)


async def test_a_failure_without_effect_leaves_the_count_to_the_next_attempt(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    for _ in range(2):
        assert await fail(guards, claim, Fate.CLEAR) == Receipt()
    second, _ = proceeding(await begin(guards, attempt=2, mark_sent=True))
    assert (second.attempts, second.in_doubt) == (2, False)


async def test_an_attempt_that_did_not_reach_the_target_is_not_counted(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    await fail(guards, claim, Fate.CLEAR, reached=False)
    second, _ = proceeding(await begin(guards, attempt=2, mark_sent=True))
    assert second.attempts == 1


@pytest.mark.parametrize("fate", [Fate.CLEAR, Fate.RELEASED])
async def test_another_owner_counts_anew_after_a_failure_without_effect(guards: RedisGuards, fate: Fate) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    await fail(guards, claim, fate)
    other, _ = proceeding(await begin(guards, owner="run/2", mark_sent=True))
    assert (other.attempts, other.in_doubt) == (1, False)


async def test_a_failure_in_doubt_frees_the_claim_at_once_and_keeps_the_doubt(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    await fail(guards, claim, Fate.DOUBT)
    second, _ = proceeding(await begin(guards, attempt=2, mark_sent=True))
    await fail(guards, second, Fate.CLEAR)
    third, _ = proceeding(await begin(guards, owner="run/2"))
    assert second.in_doubt
    assert third.in_doubt


async def test_waiting_for_an_earlier_request_does_not_put_its_landing_off(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True, lands_within=SHORT))
    await fail(guards, claim, Fate.DOUBT)
    second, _ = proceeding(await begin(guards, attempt=2, mark_sent=True, lands_within=LEASE))
    await fail(guards, second, Fate.DOUBT, reached=False)
    third, _ = proceeding(await begin(guards, attempt=3, mark_sent=True, lands_within=LEASE))
    assert third.settle_after == second.settle_after is not None


async def test_the_same_attempt_begun_again_after_a_failure_in_doubt_is_in_doubt(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    await fail(guards, claim, Fate.DOUBT)
    assert proceeding(await begin(guards, mark_sent=True))[0].in_doubt


async def test_an_unknown_outcome_stays_unknown_for_every_owner(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    await fail(guards, claim, Fate.UNKNOWN)
    assert await begin(guards, attempt=2) == Doubtful(1)
    assert await begin(guards, owner="run/2") == Doubtful(1)


async def test_followers_are_woken_by_the_completion(guards: RedisGuards, other_guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards))
    followers = [
        asyncio.create_task((guards, other_guards)[number % 2].follow("effect", timedelta(seconds=30)))
        for number in range(10)
    ]
    await asyncio.sleep(0.1)
    await guards.complete_tool_call(claim, {"order": "A-1"}, None)
    async with asyncio.timeout(2):
        assert await asyncio.gather(*followers) == [Replay({"order": "A-1"}, 0)] * 10


async def test_following_what_is_done_answers_at_once(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards))
    await guards.complete_tool_call(claim, 1, None)
    assert await guards.follow("effect", LEASE) == Replay(1, 0)


async def test_a_follower_gives_up_when_its_time_is_over_and_leaves_no_waiter(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    await begin(guards)
    for within in (SHORT, timedelta(milliseconds=1), timedelta()):
        assert await guards.follow("effect", within) is None
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        assert await redis.scard(f"{prefix}:ledger:{{effect}}:followers") == 0


async def test_a_follower_is_told_when_the_holder_fails(guards: RedisGuards, other_guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards))
    follower = asyncio.create_task(other_guards.follow("effect", timedelta(seconds=30)))
    await asyncio.sleep(0.1)
    await fail(guards, claim, Fate.RELEASED)
    async with asyncio.timeout(2):
        assert await follower is None
    assert await other_guards.follow("effect", LEASE) is None


async def test_a_completion_is_booked_later_and_once(guards: RedisGuards) -> None:
    claim, permit = proceeding(await begin(guards))
    booking = ToolBooking(claim=claim, content="done", permit=permit)
    assert [await guards.book(booking) for _ in range(2)] == [Receipt(), Receipt()]
    assert await begin(guards, attempt=2) == Replay("done", 0)


async def test_a_completion_is_booked_in_a_redis_that_was_wiped(guards: RedisGuards) -> None:
    claim = Claim(key="effect", owner="run/1", fence=3, attempts=2)
    assert await guards.book(ToolBooking(claim=claim, content="done")) == Receipt()
    assert await begin(guards) == Replay("done", 2)


async def test_a_failure_booked_later_leaves_the_claim_as_it_was(guards: RedisGuards) -> None:
    claim, permit = proceeding(await begin(guards, mark_sent=True))
    await guards.book(ToolBooking(claim=claim, permit=permit, verdict=Verdict.FAILURE))
    assert proceeding(await begin(guards, attempt=2))[0].in_doubt


async def test_claims_are_remembered_for_longer_than_runs_are(guards: RedisGuards, redis_url: str, prefix: str) -> None:
    await begin(guards)
    async with Redis.from_url(redis_url) as redis:
        assert await redis.ttl(f"{prefix}:ledger:{{effect}}") > timedelta(days=34).total_seconds()


@pytest.mark.parametrize("content", [float("nan"), {1, 2}, object()])
async def test_a_result_that_is_not_json_is_refused_and_the_claim_stays(guards: RedisGuards, content: object) -> None:
    claim, permit = proceeding(await begin(guards))
    with pytest.raises(InvalidInput, match="not JSON"):
        await guards.complete_tool_call(claim, content, permit)  # type: ignore[arg-type]  # on purpose
    assert await guards.renew(claim, LEASE)


@pytest.mark.parametrize("key", ["", "x" * 3000])
async def test_an_empty_or_huge_key_is_refused(guards: RedisGuards, key: str) -> None:
    with pytest.raises(InvalidInput, match="characters"):
        await begin(guards, key)


def test_a_permit_survives_history(guards: RedisGuards) -> None:
    permit = Permit(name="orders", generation=3, token="run/1#1")
    assert ToolBooking.model_validate_json(ToolBooking(permit=permit).model_dump_json()).permit == permit


@pytest.mark.parametrize("fate", list(Fate))
async def test_an_effect_that_ended_in_an_error_is_never_recorded_as_done(guards: RedisGuards, fate: Fate) -> None:
    claim, permit = proceeding(await begin(guards, mark_sent=True))
    await guards.fail_tool_call(claim, permit, Verdict.FAILURE, None, fate=fate)
    await guards.book(ToolBooking(claim=claim, content="an error page", verdict=Verdict.FAILURE))
    assert isinstance(await begin(guards, owner="run/2"), Proceed | Doubtful)
