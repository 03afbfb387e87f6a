"""The rules of the breaker, the same in Redis and in the process."""

import asyncio
from datetime import timedelta

import pytest

from surefoot.contracts.breakers import BreakerPolicy, BreakerState, Permit, Transition, Verdict
from surefoot.ports import Admitted, Refused
from surefoot.reliability.breaker import Breaker
from tests.reliability.given import NEVER_ON_COUNT, QUICK, SHORT, TRIPS_AT_ONCE, admitted

SECOND = timedelta(seconds=1)


async def fail(breaker: Breaker, token: str, policy: BreakerPolicy) -> Transition | None:
    return await breaker.report(await admitted(breaker, token, policy), Verdict.FAILURE, None)


async def tripped(breaker: Breaker, policy: BreakerPolicy = QUICK) -> Transition:
    transition = await fail(breaker, "trip", policy)
    assert transition is not None
    return transition


async def probe(breaker: Breaker, token: str = "probe", policy: BreakerPolicy = QUICK) -> Permit:
    """Waits until the open span is over."""
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    found = await admitted(breaker, token, policy)
    assert found.probe == token
    return found


async def test_an_unknown_breaker_is_closed(breaker: Breaker) -> None:
    assert (await breaker.status("orders")).state is BreakerState.CLOSED


async def test_five_failures_within_the_window_open_it_and_successes_between_do_not_help(breaker: Breaker) -> None:
    policy = BreakerPolicy(failures=5, consecutive=1000)
    for number in range(4):
        assert await fail(breaker, f"f{number}", policy) is None
        await breaker.report(await admitted(breaker, f"s{number}", policy), Verdict.SUCCESS, None)
    transition = await fail(breaker, "f4", policy)
    assert transition is not None
    assert (transition.before, transition.after) == (BreakerState.CLOSED, BreakerState.OPEN)
    assert transition.reason == "5 failures within 30 s"


async def test_failures_older_than_the_window_do_not_count(breaker: Breaker) -> None:
    policy = BreakerPolicy(failures=2, window=timedelta(milliseconds=40), consecutive=1000)
    await fail(breaker, "old", policy)
    await asyncio.sleep(0.06)
    assert await fail(breaker, "new", policy) is None


async def test_failures_in_a_row_open_it_however_far_apart(breaker: Breaker) -> None:
    policy = BreakerPolicy(failures=1000, window=timedelta(milliseconds=1), consecutive=3)
    outcomes = []
    for number in range(3):
        outcomes.append(await fail(breaker, f"f{number}", policy))
        await asyncio.sleep(0.005)
    assert outcomes[:2] == [None, None]
    assert outcomes[2] is not None
    assert outcomes[2].reason == "3 failures in a row"


async def test_a_success_ends_a_row_of_failures(breaker: Breaker) -> None:
    policy = BreakerPolicy(failures=1000, consecutive=2)
    await fail(breaker, "f1", policy)
    await breaker.report(await admitted(breaker, "s", policy), Verdict.SUCCESS, None)
    assert await fail(breaker, "f2", policy) is None


async def test_a_success_told_again_ends_no_row_of_failures_after_it(breaker: Breaker) -> None:
    policy = BreakerPolicy(failures=1000, consecutive=3)
    done = await admitted(breaker, "s", policy)
    await breaker.report(done, Verdict.SUCCESS, None)
    outcomes = [await fail(breaker, "f1", policy), await fail(breaker, "f2", policy)]
    assert await breaker.report(done, Verdict.SUCCESS, None) is None
    opened = await fail(breaker, "f3", policy)
    assert outcomes == [None, None]
    assert opened is not None
    assert opened.reason == "3 failures in a row"


async def test_a_success_told_again_ends_no_row_of_throttled_calls_after_it(breaker: Breaker) -> None:
    done = await admitted(breaker, "s", NEVER_ON_COUNT)
    outcomes = []
    for number in range(3):
        await breaker.report(done, Verdict.SUCCESS, None)
        permit = await admitted(breaker, f"t{number}", NEVER_ON_COUNT)
        outcomes.append(await breaker.report(permit, Verdict.THROTTLED, 7 * SECOND))
    assert outcomes[:2] == [None, None]
    assert outcomes[2] is not None


async def test_a_callers_mistake_counts_neither_as_failure_nor_as_success(breaker: Breaker) -> None:
    policy = BreakerPolicy(failures=1000, consecutive=2)
    await fail(breaker, "f1", policy)
    for number in range(5):
        permit = await admitted(breaker, f"n{number}", policy)
        assert await breaker.report(permit, Verdict.NEUTRAL, None) is None
    assert await fail(breaker, "f2", policy) is not None


async def test_the_same_failure_reported_twice_counts_once(breaker: Breaker) -> None:
    policy = BreakerPolicy(failures=2, consecutive=2)
    permit = await admitted(breaker, "f1", policy)
    for _ in range(3):
        assert await breaker.report(permit, Verdict.FAILURE, None) is None
    assert (await breaker.status("orders")).recent_failures == 1


async def test_an_open_breaker_refuses_with_the_time_until_the_next_try(breaker: Breaker) -> None:
    transition = await tripped(breaker, TRIPS_AT_ONCE)
    refused = await breaker.admit("orders", TRIPS_AT_ONCE, "next")
    assert isinstance(refused, Refused)
    assert refused.retry_after is not None
    assert timedelta(seconds=25) < refused.retry_after <= timedelta(seconds=30)
    assert refused.episode == transition.episode


async def test_three_throttled_calls_in_a_row_open_it_for_the_retry_after(breaker: Breaker) -> None:
    transitions = []
    for number in range(3):
        permit = await admitted(breaker, f"t{number}", NEVER_ON_COUNT)
        transitions.append(await breaker.report(permit, Verdict.THROTTLED, 7 * SECOND))
        transitions.append(await breaker.report(permit, Verdict.THROTTLED, 7 * SECOND))
    opened = transitions[4]
    assert transitions[:4] == [None] * 4
    assert opened is not None
    assert opened.open_until == opened.at + 7 * SECOND
    assert transitions[5] == opened


async def test_a_retry_after_of_an_hour_is_believed_for_five_minutes(breaker: Breaker) -> None:
    opened = None
    for number in range(3):
        permit = await admitted(breaker, f"t{number}", NEVER_ON_COUNT)
        opened = await breaker.report(permit, Verdict.THROTTLED, timedelta(hours=1))
    assert opened is not None
    assert opened.open_until == opened.at + timedelta(minutes=5)


async def test_a_success_ends_a_row_of_throttled_calls(breaker: Breaker) -> None:
    verdicts = [Verdict.THROTTLED, Verdict.THROTTLED, Verdict.SUCCESS, Verdict.THROTTLED, Verdict.THROTTLED]
    for number, verdict in enumerate(verdicts):
        permit = await admitted(breaker, f"t{number}", NEVER_ON_COUNT)
        assert await breaker.report(permit, verdict, SECOND) is None


async def test_when_the_time_is_over_one_probe_goes_through_and_the_rest_are_refused(breaker: Breaker) -> None:
    opened = await tripped(breaker)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    entry = await breaker.admit("orders", QUICK, "first")
    assert isinstance(entry, Admitted)
    assert entry.transition is not None
    assert entry.transition.after is BreakerState.HALF_OPEN
    assert entry.transition.episode == opened.episode
    refused = await breaker.admit("orders", QUICK, "second")
    assert isinstance(refused, Refused)
    assert refused.retry_after is not None
    assert refused.retry_after <= QUICK.probe_lease


async def test_an_open_breaker_whose_time_is_over_does_not_count_as_open(breaker: Breaker) -> None:
    await tripped(breaker)
    assert (await breaker.status("orders")).state is BreakerState.OPEN
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    assert (await breaker.status("orders")).state is BreakerState.HALF_OPEN


async def test_a_probe_that_succeeds_closes_it_with_an_empty_window(breaker: Breaker) -> None:
    policy = BreakerPolicy(failures=2, consecutive=1000, open_for=SHORT)
    await fail(breaker, "f1", policy)
    opened = await fail(breaker, "f2", policy)
    closed = await breaker.report(await probe(breaker, policy=policy), Verdict.SUCCESS, None)
    assert opened is not None
    assert closed is not None
    assert closed.after is BreakerState.CLOSED
    assert closed.episode == opened.episode
    assert await fail(breaker, "f3", policy) is None


async def test_each_opening_begins_another_episode(breaker: Breaker) -> None:
    first = await tripped(breaker)
    await breaker.report(await probe(breaker), Verdict.SUCCESS, None)
    second = await fail(breaker, "again", QUICK)
    assert second is not None
    assert second.episode != first.episode


async def test_failing_probes_double_the_open_span_up_to_its_longest(breaker: Breaker) -> None:
    policy = BreakerPolicy(consecutive=1, open_for=SHORT, open_at_most=SHORT * 3)
    await tripped(breaker, policy)
    spans, pause = [], SHORT
    for number in range(3):
        await asyncio.sleep(pause.total_seconds() + 0.02)
        failed = await fail(breaker, f"p{number}", policy)
        assert failed is not None
        assert failed.open_until is not None
        pause = failed.open_until - failed.at
        spans.append(pause / SHORT)
    assert 1.8 <= spans[0] <= 2.02
    assert all(2.7 <= span <= 3 for span in spans[1:])


async def test_a_probe_for_which_the_caller_was_to_blame_gives_its_place_back(breaker: Breaker) -> None:
    await tripped(breaker)
    assert await breaker.report(await probe(breaker, "first"), Verdict.NEUTRAL, None) is None
    assert (await admitted(breaker, "second", QUICK)).probe == "second"


async def test_a_dead_prober_is_replaced_and_its_late_result_ignored(breaker: Breaker) -> None:
    policy = BreakerPolicy(consecutive=1, open_for=SHORT, probe_lease=SHORT)
    await tripped(breaker, policy)
    dead = await probe(breaker, "dead", policy)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    alive = await admitted(breaker, "alive", policy)
    assert await breaker.report(dead, Verdict.FAILURE, None) is None
    closed = await breaker.report(alive, Verdict.SUCCESS, None)
    assert closed is not None
    assert closed.after is BreakerState.CLOSED


async def test_a_probe_slower_than_the_lease_closes_it_under_traffic_if_calls_may_take_so_long(
    breaker: Breaker,
) -> None:
    policy = BreakerPolicy(consecutive=1, open_for=SHORT, probe_lease=SHORT, half_open_at_most=SHORT)
    policy = policy.outlasting(50 * SHORT)
    await tripped(breaker, policy)
    slow = await probe(breaker, "slow", policy)
    for number in range(3):
        await asyncio.sleep(SHORT.total_seconds())
        assert isinstance(await breaker.admit("orders", policy, f"other{number}"), Refused)
    closed = await breaker.report(slow, Verdict.SUCCESS, None)
    assert closed is not None
    assert closed.after is BreakerState.CLOSED


async def test_a_report_of_an_older_generation_changes_nothing(breaker: Breaker) -> None:
    late = [await admitted(breaker, f"late{number}", QUICK) for number in range(3)]
    await tripped(breaker)
    await breaker.report(await probe(breaker), Verdict.SUCCESS, None)
    assert [await breaker.report(permit, Verdict.FAILURE, None) for permit in late] == [None] * 3
    assert (await breaker.status("orders")).state is BreakerState.CLOSED


async def test_a_transition_whose_reply_was_lost_is_told_again(breaker: Breaker) -> None:
    permit = await admitted(breaker, "trip", QUICK)
    opened = [await breaker.report(permit, Verdict.FAILURE, None) for _ in range(2)]
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    entered = [await breaker.admit("orders", QUICK, "probe") for _ in range(2)]
    assert isinstance(entered[0], Admitted)
    closed = [await breaker.report(entered[0].permit, Verdict.SUCCESS, None) for _ in range(2)]
    assert opened[0] is not None
    assert closed[0] is not None
    for first, again in (opened, entered, closed):
        assert first == again


@pytest.mark.parametrize("probes", [2, 3])
async def test_as_many_probes_as_the_policy_says_go_at_a_time(breaker: Breaker, probes: int) -> None:
    policy = BreakerPolicy(consecutive=1, open_for=SHORT, probes=probes)
    await tripped(breaker, policy)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    entries = [await breaker.admit("orders", policy, f"p{number}") for number in range(5)]
    assert [isinstance(entry, Admitted) for entry in entries] == [number < probes for number in range(5)]


async def test_forced_open_refuses_until_it_is_closed_by_hand(breaker: Breaker) -> None:
    forced = await breaker.force("orders", BreakerState.FORCED_OPEN, "maintenance", "act-1")
    refused = await breaker.admit("orders", QUICK, "a")
    assert forced is not None
    assert isinstance(refused, Refused)
    assert refused.retry_after is None
    assert (await breaker.status("orders")).reason == "maintenance"
    assert await breaker.force("orders", BreakerState.FORCED_OPEN, "maintenance", "act-1") == forced
    assert await breaker.force("orders", BreakerState.CLOSED, "done", "act-2") is not None
    assert await admitted(breaker, "b", QUICK)


async def test_a_disabled_breaker_lets_everything_through_and_learns_nothing(breaker: Breaker) -> None:
    await breaker.force("orders", BreakerState.DISABLED, "noisy", "act-1")
    for number in range(5):
        assert await fail(breaker, f"f{number}", TRIPS_AT_ONCE) is None
    assert (await breaker.status("orders")).state is BreakerState.DISABLED


async def test_breakers_do_not_know_each_other(breaker: Breaker) -> None:
    await tripped(breaker)
    assert await admitted(breaker, "a", QUICK, name="refunds")
