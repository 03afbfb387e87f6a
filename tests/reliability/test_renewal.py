"""The lease of a claim, renewed while its holder works, and only then."""

import asyncio

import pytest

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.tools import Claim
from surefoot.ports import Busy, Fate, Proceed, Replay
from surefoot.reliability.guards import RedisGuards
from tests.reliability.given import LEASE, SHORT, begin, proceeding

LAPSED = SHORT.total_seconds() + 0.02


async def test_a_renewed_lease_keeps_others_out(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, lease=SHORT))
    assert await guards.renew(claim, LEASE)
    await asyncio.sleep(LAPSED)
    assert isinstance(await begin(guards, owner="run/2"), Busy)


@pytest.mark.parametrize("fate", [Fate.CLEAR, Fate.DOUBT, Fate.RELEASED])
async def test_a_renewal_that_comes_after_the_failure_does_not_hold_the_claim(guards: RedisGuards, fate: Fate) -> None:
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    await guards.fail_tool_call(claim, None, Verdict.NEUTRAL, None, fate=fate)
    assert not await guards.renew(claim, LEASE)
    assert isinstance(await begin(guards, owner="run/2"), Proceed)


async def test_a_renewal_never_shortens_a_lease(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, lease=LEASE))
    assert await guards.renew(claim, SHORT)
    busy = await begin(guards, owner="run/2")
    assert isinstance(busy, Busy)
    assert busy.remaining > LEASE / 2


async def test_a_lapsed_lease_that_nobody_took_is_renewed(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards, lease=SHORT))
    await asyncio.sleep(LAPSED)
    assert await guards.renew(claim, LEASE)
    assert isinstance(await begin(guards, owner="run/2"), Busy)


async def test_a_renewal_after_the_completion_changes_nothing(guards: RedisGuards) -> None:
    claim, _ = proceeding(await begin(guards))
    await guards.complete_tool_call(claim, "done", None)
    assert await guards.renew(claim, LEASE)
    assert await begin(guards, owner="run/2") == Replay("done", 0)


async def test_a_claim_that_redis_lost_is_not_renewed(guards: RedisGuards) -> None:
    assert not await guards.renew(Claim(key="effect", owner="run/1", fence=3), LEASE)
