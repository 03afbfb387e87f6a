"""Which drills share a worker and a store, and what each of them works with."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.incidents import IncidentKind
from surefoot.drill.field import Field
from surefoot.drill.stories import ALONE
from surefoot.embedded.lending import WORLD
from surefoot.embedded.redis import Redis
from surefoot.embedded.stack import Stack
from surefoot.rehearsal import PATIENCE, SHORT_TIMES, Broken
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient

FOLDER = Path(__file__).parent
VARIABLES = {
    **SHORT_TIMES,
    "SUREFOOT_AGENTS_DIR": str(FOLDER / "agents"),
    "SUREFOOT_ONCALL": str(FOLDER / "oncall.toml"),
}
SHARED = Settings.model_fields["task_queue"].default
"""The crew whose drills disturb nobody; also the name of its task queue."""


async def fields(
    stack: Stack,
    temporal: Client,
    kinds: Iterable[IncidentKind],
    nonce: str,
    patience: timedelta = PATIENCE,
) -> dict[IncidentKind, Field]:
    """Start what the drills of these kinds need, and hand each its field. The caller closes their simulators."""
    crews: dict[str, list[IncidentKind]] = {}
    for kind in kinds:
        crews.setdefault(kind.value if kind in ALONE else SHARED, []).append(kind)
    manned = await asyncio.gather(*(_manned(stack, temporal, crew) for crew in crews))
    ready = dict(zip(crews, manned, strict=True))
    return {
        kind: replace(field, name=f"drill-{kind}-{nonce}", patience=patience, typed=[])
        for crew, field in ready.items()
        for kind in crews[crew]
    }


async def _manned(stack: Stack, temporal: Client, crew: str) -> Field:
    """The field of a crew, whose worker is ready."""
    if stack.simulator_url is None:
        raise Broken("the stack has no simulator")
    redis = await _store(stack, crew)
    shop = SimulatorClient(stack.simulator_url, WORLD if crew == SHARED else crew)
    own = {"SUREFOOT_TASK_QUEUE": crew, "SUREFOOT_KEY_PREFIX": crew, "REDIS_URL": redis.url}
    variables = {**VARIABLES, **own, **shop.variables, **shop.channel_variables}
    await stack.start_worker(**variables)
    return Field(SurefootClient(temporal, task_queue=crew), shop, redis, stack.environment(**variables), crew)


async def _store(stack: Stack, crew: str) -> Redis:
    if crew != SHARED:
        return await stack.start_redis()
    if stack.redis is None:
        raise Broken("the stack has no Redis")
    return stack.redis
