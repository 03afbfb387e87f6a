"""The model calls of incidents, on the session's Redis and the test's world of the simulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from activities.llm import LlmActivities
from activities.small_calls import BUDGET, SUBJECT, TENANT, SmallCalls, Unheard
from surefoot.contracts.budgets import BudgetLimit, ScopeKind, ScopeStatus
from surefoot.llm.pricing import GenaiPricing
from surefoot.llm.providers import providers
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from surefoot.settings import Settings


@asynccontextmanager
async def small_calls(
    settings: Settings, guards: RedisGuards, budget: BudgetLimit = BUDGET
) -> AsyncIterator[SmallCalls]:
    ports, pricing = providers(settings), GenaiPricing()
    try:
        yield SmallCalls(LlmActivities(ports, guards, pricing, Unheard()), guards, pricing, budget)
    finally:
        await ports.aclose()


async def books(guards: RedisGuards, settings: Settings) -> ScopeStatus:
    """What the incidents have spent today."""
    return await RedisOffice(guards.store, settings.key_prefix).budget(TENANT, ScopeKind.USER, SUBJECT, BUDGET)
