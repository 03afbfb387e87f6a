"""What is measured of many runs is so of each: they wait, their books are right, and who did what can be told."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from benchmarks.conversations import EACH, right, talk
from benchmarks.recovery import since
from benchmarks.variants.reader import PROVIDER, Reader, read_page
from benchmarks.variants.surefoot import AGENTS
from benchmarks.waiting import Desk, all_of
from benchmarks.workloads import ANSWER
from surefoot.client import SurefootClient
from surefoot.contracts.runs import Phase
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from surefoot.settings import Settings
from tests.support.waiting import until
from worker import composed


@pytest.fixture
async def surefoot(settings: Settings, temporal_client: Client) -> AsyncIterator[SurefootClient]:
    ours = settings.model_copy(update={"agents_dir": AGENTS})
    async with composed(ours, temporal_client, designs=(read_page,), **{PROVIDER: Reader()}) as worker, worker:
        yield SurefootClient(temporal_client, task_queue=settings.task_queue)


async def test_runs_wait_at_the_desk_until_they_are_decided(surefoot: SurefootClient, unique: str) -> None:
    desk = Desk(surefoot)
    runs = await all_of(desk.start, [f"{unique}-{number}" for number in range(3)])

    async def waiting() -> bool:
        return {(await surefoot.progress(run)).phase for run in runs} == {Phase.WAITING_FOR_APPROVAL}

    await until(waiting)
    await all_of(desk.decide, runs)
    assert [(await surefoot.result(run)).text for run in runs] == [ANSWER] * 3


async def test_a_conversation_is_answered_and_its_books_are_held_against_its_runs(
    surefoot: SurefootClient, settings: Settings, unique: str
) -> None:
    found = await talk(surefoot, unique)
    store = Store.connect(settings.redis_url.get_secret_value(), timeout=timedelta(seconds=2))
    office = RedisOffice(store, settings.key_prefix)
    assert found.answered == EACH == 3
    assert await right(office, found)
    assert not await right(office, replace(found, spent=found.spent + 1))
    await store.close()


async def test_the_first_thing_that_a_worker_did_after_a_moment_is_found(
    surefoot: SurefootClient, temporal_client: Client, unique: str
) -> None:
    began = datetime.now(UTC)
    await talk(surefoot, unique)
    (run, *_) = [view.run for view in await until(lambda: surefoot.runs(session=unique))]
    assert 0 < await since(temporal_client, run, os.getpid(), began) < (datetime.now(UTC) - began).total_seconds()
    for worker, when in ((os.getpid(), datetime.now(UTC)), (1, began)):
        with pytest.raises(RuntimeError, match="nothing"):
            await since(temporal_client, run, worker, when)
