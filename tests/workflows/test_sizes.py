"""What a run leaves and asks for, which is the same on any machine: events, bytes, and ways to Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from temporalio.client import Client

from benchmarks.histories import Written, written
from benchmarks.redis_traffic import counted
from benchmarks.starting import Ours
from benchmarks.variants.reader import PROVIDER, Reader, read_page
from benchmarks.variants.surefoot import AGENTS
from benchmarks.workloads import page
from surefoot.client import SurefootClient
from surefoot.client.payloads import converter
from surefoot.contracts.conversation import ToolMessage
from surefoot.settings import Settings
from tests.workflows.at_length import AGENTS as AT_LENGTH
from worker import composed

TURN, TASK = 7, 3
"""Events of a turn with one tool but those of workflow tasks, and of one such task."""
SHORT, LONG = 50, 100
"""Turns."""


@pytest.fixture
def calm(settings: Settings) -> Settings:
    """As in production, but for times that a busy machine cannot miss: a task given back would be events too."""
    patient = {"sticky": timedelta(seconds=5), "heartbeat": timedelta(seconds=5), "store_timeout": timedelta(seconds=5)}
    return settings.model_copy(update={"agents_dir": AGENTS, "sandbox": False, **patient})


@asynccontextmanager
async def serving(settings: Settings, **changed: Any) -> AsyncIterator[Ours]:  # noqa: ANN401 - settings
    """A worker that calls itself the same everywhere, and who starts its runs."""
    found = settings.model_copy(update=changed)
    address, namespace = found.temporal_address or "", found.temporal_namespace
    client = await Client.connect(address, namespace=namespace, data_converter=converter(found), identity="1@gate")
    async with composed(found, client, designs=(read_page,), **{PROVIDER: Reader()}) as worker, worker:
        yield Ours(client, found.task_queue)


async def left(settings: Settings, turns: int, **changed: Any) -> tuple[Written, int]:  # noqa: ANN401 - settings
    """What a long run leaves in Temporal and, in bytes, in Redis."""
    prefix = f"{settings.key_prefix}-{turns}"
    async with serving(settings, key_prefix=prefix, **changed) as run:
        history = await written(run.client, await run(f"L{turns}"))
    async with Redis.from_url(settings.redis_url.get_secret_value()) as redis:
        keys = [key async for key in redis.scan_iter(f"{prefix}:*", count=1000)]
        return history, sum([await redis.memory_usage(key, samples=0) or 0 for key in keys])


async def test_a_short_run_is_26_events_7_tasks_and_16_round_trips_at_most(calm: Settings) -> None:
    """Turn one asks for two tools at once, turn two for one, turn three answers."""
    async with (
        counted(calm.redis_url.get_secret_value()) as way,
        serving(calm, redis_url=SecretStr(way.url)) as run,
    ):
        await run("R3")  # loads the scripts
        way.round_trips = 0
        history = await written(run.client, await run("R3"))
    assert history.events <= 26
    assert history.tasks <= 7
    assert way.round_trips <= 16


async def test_a_long_history_is_small_and_grows_with_its_turns(calm: Settings) -> None:
    (short, kept), (long, kept_long) = [await left(calm, turns) for turns in (SHORT, LONG)]
    assert short.size <= 700_000
    assert long.size <= 2.1 * short.size
    assert kept_long <= 2.1 * kept
    assert long.events - short.events == (LONG - SHORT) * TURN
    assert (long.tasks - short.tasks) * TASK + long.events - short.events <= (LONG - SHORT) * 13


async def test_with_payloads_out_of_line_it_is_smaller_still_and_so_grows_what_is_kept(calm: Settings) -> None:
    apart = {"payload_store": "redis", "payload_threshold": 2048}
    (short, kept), (long, kept_long) = [await left(calm, turns, **apart) for turns in (SHORT, LONG)]
    assert short.size <= 150_000
    assert long.size <= 2.1 * short.size
    assert kept_long <= 2.1 * kept


async def test_150_turns_of_5_kb_are_one_run_to_its_callers(calm: Settings) -> None:
    async with serving(calm, agents_dir=AT_LENGTH) as start:
        run = await replace(start, profile="marathon")("L150")
        surefoot = SurefootClient(start.client, task_queue=start.queue)
        result, progress = await surefoot.result(run), await surefoot.progress(run)
        said = (await surefoot.conversation(run)).messages
    assert result.turns == progress.turn == 151
    assert result.tools_called == ("read_page",) * 150
    assert [one.content for one in said if isinstance(one, ToolMessage)] == [page(n, 5000) for n in range(1, 151)]
    assert (await written(start.client, run)).histories > 1
