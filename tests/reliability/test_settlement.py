"""Effects in doubt, settled by an operator as done or not done."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.tools import Claim
from surefoot.errors import InvalidInput, NotFound
from surefoot.ports import Fate, GuardDesk, Replay
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from tests.reliability.given import (
    LEASE,
    SHORT,
    act,
    begin,
    proceeding,
)

LAPSED = SHORT.total_seconds() + 0.02


@pytest.fixture
def desk(guards: RedisGuards, prefix: str) -> GuardDesk:
    return RedisOffice(guards.store, prefix)


Given = Callable[[RedisGuards], Awaitable[Claim]]


async def doubtful(guards: RedisGuards, *, lands_within: timedelta = SHORT) -> Claim:
    """A claim whose holder died in mid-call."""
    claim, _ = proceeding(await begin(guards, lease=SHORT, mark_sent=True, lands_within=lands_within))
    await asyncio.sleep(LAPSED)
    return claim


async def unknown(guards: RedisGuards) -> Claim:
    claim, _ = proceeding(await begin(guards, mark_sent=True, lands_within=timedelta()))
    await guards.fail_tool_call(claim, None, Verdict.NEUTRAL, None, fate=Fate.UNKNOWN)
    await asyncio.sleep(0.002)
    return claim


@pytest.mark.parametrize("given", [doubtful, unknown])
async def test_an_effect_settled_as_done_is_replayed_with_the_operator_s_result(
    desk: GuardDesk, guards: RedisGuards, given: Given
) -> None:
    claim = await given(guards)
    shown = [await desk.settle_done("effect", {"fax": "F-1"}, act("1")) for _ in range(2)]
    assert shown[0] == shown[1]
    assert (shown[0]["state"], shown[0]["by"], shown[0]["reason"]) == ("done", "ann", "a promotion")
    assert await begin(guards, owner="run/2") == Replay({"fax": "F-1"}, 1)
    late = await guards.complete_tool_call(claim, "late", None)
    assert late.superseded
    assert await begin(guards, owner="run/3") == Replay({"fax": "F-1"}, 1)


@pytest.mark.parametrize("given", [doubtful, unknown])
async def test_an_effect_settled_as_not_done_may_be_tried_again_and_its_old_holder_is_refused(
    desk: GuardDesk, guards: RedisGuards, given: Given
) -> None:
    claim = await given(guards)
    shown = await desk.settle_not_done("effect", act("1"))
    assert not await guards.renew(claim, LEASE)
    second, _ = proceeding(await begin(guards, owner="run/2", mark_sent=True))
    again = await desk.settle_not_done("effect", act("1"))
    assert (shown["state"], shown["settled"]) == ("free", "free")
    assert (second.attempts, second.in_doubt) == (1, False)
    assert (again["state"], again["by"]) == ("sent", "ann"), "a repetition leaves the new holder alone"
    assert (await guards.complete_tool_call(claim, "late", None)).superseded


async def test_who_follows_a_claim_is_woken_when_it_is_settled(
    desk: GuardDesk, guards: RedisGuards, other_guards: RedisGuards
) -> None:
    await begin(guards, lease=timedelta(milliseconds=300), mark_sent=True, lands_within=SHORT)
    follower = asyncio.create_task(other_guards.follow("effect", timedelta(seconds=5)))
    await asyncio.sleep(0.32)
    await desk.settle_done("effect", "sent", act())
    assert await follower in (Replay("sent", 1), None)


async def test_a_live_claim_is_not_settled(desk: GuardDesk, guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    with pytest.raises(InvalidInput, match="somebody works on it"):
        await desk.settle_done("effect", "x", act())
    assert await guards.renew(claim, LEASE)


async def test_a_claim_whose_request_may_still_land_is_not_settled_as_not_done(
    desk: GuardDesk, guards: RedisGuards
) -> None:
    await doubtful(guards, lands_within=LEASE)
    with pytest.raises(InvalidInput, match="may still land"):
        await desk.settle_not_done("effect", act())
    assert (await desk.settle_done("effect", "it did", act()))["state"] == "done"


async def test_what_is_done_clear_or_not_there_is_not_settled(desk: GuardDesk, guards: RedisGuards) -> None:
    with pytest.raises(NotFound, match="no claim 'effect'"):
        await desk.settle_done("effect", "x", act())
    claim, _ = proceeding(await begin(guards))
    await guards.fail_tool_call(claim, None, Verdict.NEUTRAL, None, fate=Fate.CLEAR)
    with pytest.raises(InvalidInput, match="nothing about it is in doubt"):
        await desk.settle_not_done("effect", act())
    claim, _ = proceeding(await begin(guards))
    await guards.complete_tool_call(claim, "done", None)
    with pytest.raises(InvalidInput, match="its result is recorded"):
        await desk.settle_not_done("effect", act())


async def test_a_result_that_is_not_json_settles_nothing(desk: GuardDesk, guards: RedisGuards) -> None:
    await unknown(guards)
    with pytest.raises(InvalidInput, match="not JSON"):
        await desk.settle_done("effect", float("nan"), act())
    shown = await desk.claim("effect")
    assert shown is not None
    assert shown["state"] == "unknown"
