"""Breakers that open on a share of failed or slow calls, that wait for dead probes, and that refuse contradictions."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import ValidationError
from redis.asyncio import Redis

from surefoot.contracts.breakers import BreakerPolicy, BreakerState, Sign, Transition, Verdict
from surefoot.contracts.models import ModelBooking
from surefoot.ports import Admitted, Refused
from surefoot.reliability.breaker import Breaker
from surefoot.reliability.guards import RedisGuards
from tests.reliability.given import CENT, QUICK, SHORT, TRIPS_AT_ONCE, admitted, begin, held, permit, reservation

LONG = timedelta(seconds=6)
BRIEF = timedelta(milliseconds=80)
ON_RATE = BreakerPolicy(opens_on=(Sign.RATE,), rate_percent=50, calls=4, open_for=SHORT)
ON_SLOW = BreakerPolicy(opens_on=(Sign.SLOW,), slow_percent=50, calls=4, open_for=SHORT)
LAPSED = SHORT.total_seconds() + 0.02


async def called(
    breaker: Breaker, policy: BreakerPolicy, token: str, verdict: Verdict, took: timedelta | None = None
) -> Transition | None:
    return await breaker.report(await admitted(breaker, token, policy), verdict, None, took)


async def told(
    breaker: Breaker, policy: BreakerPolicy, marks: str, took: timedelta | None = None
) -> list[Transition | None]:
    """Calls that succeed (s), fail (f) or are the caller's own mistake (n)."""
    verdicts = {"s": Verdict.SUCCESS, "f": Verdict.FAILURE, "n": Verdict.NEUTRAL}
    return [await called(breaker, policy, f"{mark}{number}", verdicts[mark], took) for number, mark in enumerate(marks)]


async def test_half_of_the_calls_failing_opens_it_once_there_are_enough_calls(breaker: Breaker) -> None:
    transitions = await told(breaker, ON_RATE, "fsnnsf")
    assert transitions[:5] == [None] * 5
    assert transitions[5] is not None
    assert transitions[5].reason == "2 of 4 calls failed"


async def test_fewer_failures_than_the_share_leave_it_closed_however_many_they_are(breaker: Breaker) -> None:
    assert await told(breaker, ON_RATE, "sss" + "fss" * 10) == [None] * 33


async def test_failures_in_a_row_do_not_open_a_breaker_that_opens_on_a_rate(breaker: Breaker) -> None:
    policy = ON_RATE.model_copy(update={"calls": 100, "failures": 2, "consecutive": 2})
    assert await told(breaker, policy, "f" * 10) == [None] * 10
    assert (await breaker.status("orders")).recent_failures == 10


async def test_calls_older_than_the_window_are_no_part_of_the_share(breaker: Breaker) -> None:
    policy = ON_RATE.model_copy(update={"window": BRIEF})
    await told(breaker, policy, "fs")
    await asyncio.sleep(BRIEF.total_seconds() + 0.02)
    assert await called(breaker, policy, "late", Verdict.FAILURE) is None
    assert await called(breaker, policy, "later", Verdict.FAILURE) is None


async def test_a_call_reported_twice_is_one_call_of_the_share(breaker: Breaker) -> None:
    ticket = await admitted(breaker, "f", ON_RATE)
    for _ in range(5):
        assert await breaker.report(ticket, Verdict.FAILURE, None) is None
    assert (await breaker.status("orders")).state is BreakerState.CLOSED


async def test_half_of_the_calls_being_slow_opens_it_though_all_succeed(breaker: Breaker) -> None:
    assert await told(breaker, ON_SLOW, "ss", timedelta(seconds=5)) == [None] * 2
    assert await called(breaker, ON_SLOW, "a", Verdict.SUCCESS, LONG) is None
    opened = await called(breaker, ON_SLOW, "b", Verdict.SUCCESS, LONG)
    assert opened is not None
    assert opened.reason == "2 of 4 calls were slow"


async def test_slow_calls_do_not_matter_to_a_breaker_that_opens_on_failures(breaker: Breaker) -> None:
    assert await told(breaker, TRIPS_AT_ONCE, "s" * 30, LONG) == [None] * 30


async def test_a_call_whose_time_nobody_told_is_not_slow(breaker: Breaker) -> None:
    assert await told(breaker, ON_SLOW, "s" * 10) == [None] * 10


async def test_a_slow_probe_opens_it_again(breaker: Breaker) -> None:
    await told(breaker, ON_SLOW, "ssss", LONG)
    await asyncio.sleep(LAPSED)
    opened = await called(breaker, ON_SLOW, "probe", Verdict.SUCCESS, LONG)
    assert opened is not None
    assert (opened.after, opened.reason) == (BreakerState.OPEN, "a probe was slow")


async def test_a_share_is_counted_anew_after_recovery(breaker: Breaker) -> None:
    await told(breaker, ON_RATE, "ssff")
    await asyncio.sleep(LAPSED)
    await called(breaker, ON_RATE, "probe", Verdict.SUCCESS)
    assert await told(breaker, ON_RATE, "fff") == [None] * 3


async def test_it_opens_on_the_first_of_several_signs(breaker: Breaker) -> None:
    policy = BreakerPolicy(opens_on=(Sign.CONSECUTIVE, Sign.RATE), consecutive=3, calls=10)
    opened = (await told(breaker, policy, "fff"))[-1]
    assert opened is not None
    assert opened.reason == "3 failures in a row"


DYING = BreakerPolicy(
    consecutive=1, open_for=BRIEF, open_at_most=timedelta(seconds=5), probe_lease=SHORT, half_open_at_most=SHORT
)


async def half_open(breaker: Breaker, policy: BreakerPolicy) -> None:
    """With a probe that says nothing."""
    await called(breaker, policy, "trip", Verdict.FAILURE)
    await asyncio.sleep(policy.open_for.total_seconds() + 0.02)
    assert (await admitted(breaker, "dies", policy)).probe == "dies"


async def test_with_no_word_from_any_probe_it_opens_again_and_tells_the_caller_that_it_refuses(
    breaker: Breaker,
) -> None:
    await half_open(breaker, DYING)
    await asyncio.sleep(LAPSED)
    refused, again = [await breaker.admit("orders", DYING, "next") for _ in range(2)]
    assert isinstance(refused, Refused)
    assert isinstance(again, Refused)
    assert refused.transition is not None
    assert refused.transition.reason == "no probe said how it went"
    assert (refused.transition.before, refused.transition.after) == (BreakerState.HALF_OPEN, BreakerState.OPEN)
    assert again.transition == refused.transition, "the same question twice is one lost reply"
    other = await breaker.admit("orders", DYING, "other")
    assert isinstance(other, Refused)
    assert other.transition is None


async def test_after_a_quiet_time_a_new_probe_goes_through_instead(breaker: Breaker) -> None:
    await half_open(breaker, DYING)
    await asyncio.sleep((SHORT + 2 * BRIEF).total_seconds() + 0.05)
    entry = await breaker.admit("orders", DYING, "next")
    assert isinstance(entry, Admitted)
    assert entry.permit.probe == "next"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"open_for": "10m"}, "must not be shorter than open_for"),
        ({"open_at_most": "1s"}, "must not be shorter than open_for"),
        ({"half_open_at_most": "1s"}, "must not be shorter than probe_lease"),
        ({"probe_lease": "6m"}, "must not be shorter than probe_lease"),
        ({"opens_on": ()}, "at least one sign"),
        ({"opens_on": ("luck",)}, "'count', 'consecutive', 'rate' or 'slow'"),
        ({"probes": 0}, "greater than or equal to 1"),
        ({"rate_percent": 0}, "greater than or equal to 1"),
        ({"slow_percent": 101}, "less than or equal to 100"),
        ({"calls": 0}, "greater than or equal to 1"),
        ({"window": "0s"}, "greater than"),
        ({"slow_after": "-1s"}, "slow_after"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        BreakerPolicy.model_validate(wrong)


async def test_tenants_have_breakers_of_their_own_where_the_policy_says_so(guards: RedisGuards) -> None:
    policy = TRIPS_AT_ONCE.model_copy(update={"by_tenant": True})
    hold = held(await guards.reserve(reservation("h1", CENT)))
    model = await guards.begin_model_call(hold, 1, policy)
    await guards.end_model_call(permit(model), Verdict.FAILURE, None, None)
    seen = await guards.reserve(reservation("h2", CENT, look_at=hold.model, own=True))
    shared = await guards.reserve(reservation("h3", CENT, look_at=hold.model))
    assert seen.breakers[hold.model].state is BreakerState.OPEN
    assert seen.breakers[hold.model].name == f"{hold.model}@acme"
    assert shared.breakers[hold.model].state is BreakerState.CLOSED


async def test_a_tool_s_failures_for_one_tenant_leave_the_others_alone(guards: RedisGuards) -> None:
    policy = TRIPS_AT_ONCE.model_copy(update={"by_tenant": True})
    ticket = await admitted(guards.breaker, "trip", policy, policy.name_for("orders", "acme"))
    await guards.breaker.report(ticket, Verdict.FAILURE, None)
    assert isinstance(await begin(guards, None, breaker=policy, tenant="acme"), Refused)
    assert not isinstance(await begin(guards, None, breaker=policy, tenant="other"), Refused)


async def test_a_share_s_calls_are_forgotten_with_the_breaker(guards: RedisGuards, redis_url: str, prefix: str) -> None:
    await told(guards.breaker, ON_RATE, "fss")
    async with Redis.from_url(redis_url) as redis:
        for part in ("", ":calls"):
            assert 86_300 < await redis.ttl(f"{prefix}:breaker:{{orders}}{part}") <= 86_400


async def test_no_more_than_a_thousand_calls_are_kept(guards: RedisGuards, redis_url: str, prefix: str) -> None:
    key = f"{prefix}:breaker:{{orders}}"
    async with Redis.from_url(redis_url) as redis:
        now = (await redis.time())[0] * 1000
        await redis.zadd(f"{key}:calls", {f"f old{number}": now - 2000 + number for number in range(1000)})
        await redis.hset(key, mapping={"failed": 1000, "slow": 0})
        await called(guards.breaker, ON_RATE.model_copy(update={"calls": 1000}), "new", Verdict.SUCCESS)
        assert await redis.zcard(f"{key}:calls") == 0, "it opened, and counts anew"
    assert (await guards.breaker.status("orders")).reason == "999 of 1000 calls failed"


async def test_a_quick_probe_closes_what_slow_calls_opened(breaker: Breaker) -> None:
    await told(breaker, ON_SLOW, "ssss", LONG)
    await asyncio.sleep(LAPSED)
    closed = await called(breaker, ON_SLOW, "probe", Verdict.SUCCESS, QUICK.probe_lease / 100)
    assert closed is not None
    assert closed.after is BreakerState.CLOSED


async def test_a_slow_call_that_is_booked_later_counts_as_slow(guards: RedisGuards) -> None:
    policy = ON_SLOW.model_copy(update={"calls": 2})
    hold = held(await guards.reserve(reservation("h1", CENT)))
    model = permit(await guards.begin_model_call(hold, 1, policy))
    first = await guards.book(ModelBooking(permit=model, took=LONG))
    again = permit(await guards.begin_model_call(hold, 2, policy))
    second = await guards.book(ModelBooking(permit=again, took=LONG))
    assert first.transitions == ()
    assert [change.reason for change in second.transitions] == ["2 of 2 calls were slow"]
