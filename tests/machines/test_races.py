"""Fifty callers of four workers at once, over a network that is slow at random and loses replies."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

import pytest

from surefoot.contracts.breakers import BreakerPolicy, BreakerState, Transition, Verdict
from surefoot.contracts.guardrails import Answer
from surefoot.contracts.tools import Claim
from surefoot.errors import StoreUnavailable
from surefoot.ports import Admitted, Busy, Fate, Proceed, Replay, Reserved
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from tests.reliability.given import CENT, NEVER_ON_COUNT, charge, reservation, session, tenant
from tests.support.proxy import FaultProxy

T = TypeVar("T")
CALLERS = 50
LOST = 0.05
PATIENCE = timedelta(seconds=2)
MOMENT = timedelta(milliseconds=3)
SCOPES = (session(40 * CENT), tenant(60 * CENT))


@pytest.fixture
async def workers(proxied: tuple[FaultProxy, str], prefix: str) -> AsyncIterator[list[RedisGuards]]:
    """Four, behind a bad network."""
    proxy, url = proxied
    found = [RedisGuards.connect(url, prefix=prefix, timeout=PATIENCE) for _ in range(4)]
    proxy.delay(timedelta(), MOMENT)
    proxy.lose_replies(LOST)
    yield found
    for guards in found:
        await guards.close()


async def persisted(act: Callable[[], Awaitable[T]]) -> T:
    """Ask until an answer comes."""
    while True:
        try:
            return await act()
        except StoreUnavailable:
            await asyncio.sleep(0.001)


def dice_of(number: int) -> random.Random:
    return random.Random(number)


async def spend(guards: RedisGuards, number: int, crossed: Counter[str]) -> int:
    """Three model calls, one after the other; what they cost."""
    dice, spent = dice_of(number), 0
    for turn in range(3):
        asked = reservation(f"hold-{number}-{turn}", 2 * CENT, CENT, scopes=SCOPES)
        answer = await persisted(partial(guards.reserve, asked))
        while answer.answer is Answer.IN_FLIGHT:
            await asyncio.sleep(dice.uniform(0.001, 0.02))
            answer = await persisted(partial(guards.reserve, asked))
        crossed.update(crossing.line for crossing in answer.crossings)
        if answer.hold is None:
            return spent
        spent += await use(guards, answer, dice, crossed)
    return spent


async def use(guards: RedisGuards, answer: Reserved, dice: random.Random, crossed: Counter[str]) -> int:
    hold = answer.hold
    assert hold is not None
    if dice.random() < 0.1:
        await persisted(lambda: guards.release(hold))
        return 0
    entry = await persisted(lambda: guards.begin_model_call(hold, 1, NEVER_ON_COUNT))
    assert isinstance(entry, Admitted)
    await asyncio.sleep(dice.uniform(0, 0.01))
    cost = hold.bound * dice.randint(0, 4) // 4
    settled = charge(hold, cost)
    receipt = await persisted(lambda: guards.end_model_call(entry.permit, Verdict.SUCCESS, None, settled))
    crossed.update(crossing.line for crossing in receipt.crossings)
    return cost


async def watch(guards: RedisGuards, prefix: str) -> None:
    """Look at the books, again and again, from where no reply is lost."""
    office = RedisOffice(guards.store, prefix)
    while True:
        for scope in SCOPES:
            status = await office.budget("acme", scope.kind, scope.subject, scope.budget)
            assert status.settled + status.held <= status.limit
        await asyncio.sleep(0.005)


async def test_fifty_spenders_never_pass_the_cap_and_every_cent_is_booked(
    workers: list[RedisGuards], direct: RedisGuards, proxy: FaultProxy, prefix: str
) -> None:
    crossed: Counter[str] = Counter()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        watching = group.create_task(watch(direct, prefix))
        spending = [group.create_task(spend(workers[n % 4], n, crossed)) for n in range(CALLERS)]
        spent = [await task for task in spending]
        watching.cancel()
    office = RedisOffice(direct.store, prefix)
    for scope in SCOPES:
        status = await office.budget("acme", scope.kind, scope.subject, scope.budget)
        assert (status.settled, status.held, status.unknown) == (sum(spent), 0, 0)
    assert crossed == {"soft": 1, "hard": 1}, "of the session; the tenant has more"
    assert proxy.replies_lost > 10


class Shop:
    """Where effects happen; it remembers who is at work on what."""

    def __init__(self) -> None:
        self.at_work: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    async def perform(self, effect: str, dice: random.Random) -> bool:
        """Whether the effect happened; two at a time for one effect never happen."""
        self.at_work[effect] += 1
        assert self.at_work[effect] == 1, f"two at work on {effect!r}"
        await asyncio.sleep(dice.uniform(0, 0.02))
        self.at_work[effect] -= 1
        if dice.random() < 0.3:
            return False
        self.done[effect] += 1
        return True


async def perform(guards: RedisGuards, shop: Shop, number: int) -> object:
    """One run's tool call: it tries until there is a result, its own or another's."""
    dice, effect, attempt = dice_of(number), f"effect-{number % 5}", 0
    while True:
        attempt += 1
        entry = await persisted(partial(begin, guards, effect, number, attempt))
        if isinstance(entry, Busy):
            entry = await persisted(partial(guards.follow, effect, entry.remaining))
        if isinstance(entry, Replay):
            return entry.content
        if isinstance(entry, Proceed) and (result := await tried(guards, entry, shop, effect, number, dice)):
            return result


async def begin(guards: RedisGuards, effect: str, number: int, attempt: int) -> object:
    return await guards.begin_tool_call(
        tool="orders",
        breaker=NEVER_ON_COUNT,
        effect_key=effect,
        owner=f"run-{number}/1",
        attempt=attempt,
        lease=timedelta(seconds=60),
        mark_sent=number % 2 == 0,
        lands_within=timedelta(seconds=30),
    )


async def tried(
    guards: RedisGuards, entry: Proceed, shop: Shop, effect: str, number: int, dice: random.Random
) -> str | None:
    claim: Claim | None = entry.claim
    assert claim is not None
    if number % 2:
        counted = claim
        claim = await persisted(lambda: guards.mark_sent(counted, lands_within=timedelta(seconds=30)))
    if await shop.perform(effect, dice):
        result = f"order of run {number}"
        receipt = await persisted(lambda: guards.complete_tool_call(claim, result, entry.permit))
        assert not receipt.superseded
        return result
    await persisted(lambda: guards.fail_tool_call(claim, entry.permit, Verdict.NEUTRAL, None, fate=Fate.CLEAR))
    return None


async def test_of_fifty_callers_one_performs_each_effect_and_all_get_its_result(
    workers: list[RedisGuards], proxy: FaultProxy
) -> None:
    shop = Shop()
    proxy.lose_replies(3 * LOST)  # there are fewer of them than elsewhere
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        performing = [group.create_task(perform(workers[n % 4], shop, n)) for n in range(CALLERS)]
    results = [task.result() for task in performing]
    assert shop.done == Counter({f"effect-{n}": 1 for n in range(5)})
    for effect in range(5):
        assert len(set(results[effect::5])) == 1
    assert proxy.replies_lost > 5


async def test_fifty_callers_of_a_failing_tool_are_told_each_transition_once(
    workers: list[RedisGuards], proxy: FaultProxy
) -> None:
    policy = BreakerPolicy(failures=3, open_for=timedelta(milliseconds=40), open_at_most=timedelta(milliseconds=80))
    told: list[Transition] = []

    async def call(number: int) -> None:
        guards, dice = workers[number % 4], dice_of(number)
        for turn in range(6):
            token = f"run-{number}/{turn}"
            entry = await persisted(partial(guards.breaker.admit, "orders", policy, token))
            if entry.transition:
                told.append(entry.transition)
            await asyncio.sleep(dice.uniform(0, 0.02))
            if isinstance(entry, Admitted):
                verdict = dice.choice([Verdict.FAILURE, Verdict.FAILURE, Verdict.SUCCESS])
                change = await persisted(partial(guards.breaker.report, entry.permit, verdict, None))
                told.extend([change] if change else [])

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(CALLERS):
            group.create_task(call(number))
    generations = sorted(change.generation for change in told)
    status = await persisted(lambda: workers[0].breaker.status("orders"))
    assert len(generations) == len(set(generations)), "told once"
    assert BreakerState.OPEN in {change.after for change in told}
    missing = set(range(1, status.generation + 1)) - set(generations)
    by_generation = {change.generation: change for change in told}
    for generation in missing:  # only one that made it half-open, learnt too late to matter
        after = by_generation.get(generation + 1)
        assert after is None or after.before is BreakerState.HALF_OPEN
    assert proxy.replies_lost > 5
