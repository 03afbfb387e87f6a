"""Which model a guardrail check chooses while routes lead around some."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.guardrails import GuardrailActivities
from surefoot.contracts.budgets import NANOS_PER_DOLLAR, BudgetLimit, Scope, ScopeKind
from surefoot.contracts.guardrails import Answer, GuardrailDecision, GuardrailRequest, PromptSize
from surefoot.llm.pricing import GenaiPricing
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.routes import RedisRoutes
from tests.reliability.given import act

PRO, FLASH, SMALL = "gemini:gemini-2.5-pro", "gemini:gemini-2.5-flash", "mistral:mistral-small-2506"
LARGE = "mistral:mistral-large-2512"
LONG = timedelta(minutes=30)


NO_MATTER: Mapping[str, object] = {}
HEEDED: Mapping[str, object] = {"heeds_context": True}


class Checks:
    """One worker's checks of one session's runs."""

    def __init__(self, guards: RedisGuards) -> None:
        self._activities = GuardrailActivities(guards, GenaiPricing())
        self._asked = 0

    async def __call__(
        self,
        ladder: tuple[str, ...],
        *fallback: str,
        limit: int = NANOS_PER_DOLLAR,
        avoid: tuple[str, ...] = (),
        size: int = 1000,
        context: Mapping[str, object] = NO_MATTER,
    ) -> GuardrailDecision:
        self._asked += 1
        scope = Scope(kind=ScopeKind.SESSION, subject="s1", budget=BudgetLimit(limit=limit))
        request = GuardrailRequest(
            hold_id=f"run/{self._asked}",
            tenant="acme",
            scopes=(scope,),
            ladder=ladder,
            fallback=fallback,
            avoid=avoid,
            size=PromptSize(new_bytes=size, total_bytes=size),
            output_tokens=100,
        )
        request = GuardrailRequest.model_validate({**request.model_dump(), **context})
        decision = await ActivityEnvironment().run(self._activities.check, request)
        return decision.read(request)


@pytest.fixture
async def guards(redis_url: str, prefix: str) -> AsyncIterator[RedisGuards]:
    found = RedisGuards.connect(redis_url, prefix=prefix, timeout=timedelta(seconds=2))
    yield found
    await found.close()


@pytest.fixture
async def routes(redis_url: str, prefix: str) -> AsyncIterator[RedisRoutes]:
    """Another worker's."""
    other = RedisGuards.connect(redis_url, prefix=prefix, timeout=timedelta(seconds=2))
    yield RedisRoutes(other.store, prefix)
    await other.close()


@pytest.fixture
def check(guards: RedisGuards) -> Checks:
    return Checks(guards)


async def held(guards: RedisGuards, prefix: str) -> int:
    budget = BudgetLimit(limit=NANOS_PER_DOLLAR)
    return (await RedisOffice(guards.store, prefix).budget("acme", ScopeKind.SESSION, "s1", budget)).held


async def test_a_route_that_another_worker_wrote_is_heeded_at_the_next_check(
    check: Checks, routes: RedisRoutes, guards: RedisGuards, prefix: str
) -> None:
    before = await check((SMALL,), FLASH)
    assert (before.model, before.fell_back) == (SMALL, False)
    await routes.put(SMALL, FLASH, "incident-1", LONG)
    after = await check((SMALL,), FLASH)
    assert (after.model, after.fell_back) == (FLASH, True)
    assert after.reason == f"led around {SMALL}, by incident-1"
    assert before.hold
    assert after.hold
    assert await held(guards, prefix) == before.hold.bound + after.hold.bound


async def test_the_rest_of_the_ladder_goes_before_the_fallback(check: Checks, routes: RedisRoutes) -> None:
    await routes.put(PRO, LARGE, "incident-1", LONG)
    decision = await check((PRO, FLASH), LARGE)
    assert (decision.model, decision.fell_back, decision.downgraded) == (FLASH, True, False)


async def test_a_route_around_a_later_rung_changes_nothing_for_the_first(check: Checks, routes: RedisRoutes) -> None:
    await routes.put(FLASH, LARGE, "incident-1", LONG)
    decision = await check((PRO, FLASH), LARGE)
    assert (decision.model, decision.fell_back, decision.reason) == (PRO, False, "")


async def test_a_profile_never_calls_a_model_that_it_does_not_name(check: Checks, routes: RedisRoutes) -> None:
    await routes.put(SMALL, FLASH, "incident-1", LONG)
    assert (await check((SMALL,), LARGE)).model == LARGE


async def test_a_model_that_runs_are_led_around_is_used_where_nothing_else_is_left(
    check: Checks, routes: RedisRoutes
) -> None:
    await routes.put(SMALL, FLASH, "incident-1", LONG)
    alone = await check((SMALL,))
    assert (alone.answer, alone.model, alone.fell_back) == (Answer.GO, SMALL, False)
    avoiding = await check((SMALL,), FLASH, avoid=(FLASH,))
    assert avoiding.model == SMALL


async def test_it_is_used_where_what_is_left_has_an_open_circuit_or_no_room_in_the_budget(
    check: Checks, routes: RedisRoutes, guards: RedisGuards, prefix: str
) -> None:
    await routes.put(SMALL, FLASH, "incident-1", LONG)
    assert (await check((SMALL,), PRO, limit=1_000_000)).model == SMALL
    await RedisOffice(guards.store, prefix).force_open(FLASH, act("held open"))
    decision = await check((SMALL,), FLASH)
    assert decision.model == SMALL
    assert [circuit.name for circuit in decision.open_models] == [FLASH]


async def test_where_nothing_has_room_the_refusal_is_told_and_nothing_stays_held(
    check: Checks, routes: RedisRoutes, guards: RedisGuards, prefix: str
) -> None:
    await routes.put(SMALL, FLASH, "incident-1", LONG)
    decision = await check((SMALL,), FLASH, limit=1000)
    assert (decision.answer, decision.model) == (Answer.NEVER_FITS, None)
    assert await held(guards, prefix) == 0


async def test_when_every_model_has_a_route_the_ladder_decides_as_ever(check: Checks, routes: RedisRoutes) -> None:
    await routes.put(SMALL, FLASH, "incident-1", LONG)
    await routes.put(FLASH, SMALL, "incident-2", LONG)
    assert (await check((SMALL,), FLASH)).model == SMALL


async def test_once_the_route_is_gone_the_first_model_is_chosen_again(check: Checks, routes: RedisRoutes) -> None:
    await routes.put(SMALL, FLASH, "incident-1", LONG)
    assert (await check((SMALL,), FLASH)).model == FLASH
    await routes.drop(SMALL, "incident-1")
    after = await check((SMALL,), FLASH)
    assert (after.model, after.fell_back) == (SMALL, False)


FITS_PRO_ALONE = 600_000
"""Bytes: 200,000 tokens, with the 1,048,576 of Gemini 2.5 Pro and the 128,000 of Mistral Small 3.2 to compare."""


async def test_a_prompt_too_long_for_the_model_that_is_chosen_is_told_and_holds_nothing(
    check: Checks, guards: RedisGuards, prefix: str
) -> None:
    too_long = await check((PRO, SMALL), limit=10**8, size=FITS_PRO_ALONE, context=HEEDED)
    assert (too_long.answer, too_long.model, too_long.context_tokens) == (Answer.TOO_LONG, SMALL, 128_000)
    assert too_long.hold is None
    assert await held(guards, prefix) == 0
    not_asked = await check((SMALL,), limit=10**8, size=FITS_PRO_ALONE)
    assert not_asked.answer is Answer.GO
    rich = await check((PRO, SMALL), limit=10**10, size=FITS_PRO_ALONE, context=HEEDED)
    assert (rich.answer, rich.model) == (Answer.GO, PRO)


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({}, None),
        ({"context_tokens": 200_000}, 200_000),
        ({"contexts": {PRO: 131_072}}, 131_072),
        ({"contexts": {SMALL: 131_072}}, None),
    ],
)
async def test_the_smallest_context_that_anybody_knows_of_holds(
    check: Checks, context: dict[str, object], told: int | None
) -> None:
    decision = await check((PRO,), limit=10**10, size=FITS_PRO_ALONE, context={**HEEDED, **context})
    assert decision.context_tokens == (told or 0)
    assert decision.answer is (Answer.TOO_LONG if told else Answer.GO)
