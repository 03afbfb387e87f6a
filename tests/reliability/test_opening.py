"""Who may wait longer for Redis than a worker's guards do."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretStr

from surefoot.client.payloads import converter
from surefoot.embedded.redis import Redis
from surefoot.reliability.health import look
from surefoot.reliability.opening import opened_store
from surefoot.reliability.store import Step
from surefoot.settings import Settings


async def command(settings: Settings) -> bool:
    async with opened_store(settings) as store:
        return await store.one(Step(("ECHO", "here"), lambda row: row[0])) == "here"


async def doctor(settings: Settings) -> bool:
    return (await look(settings)).version >= (6,)


async def large_payload(settings: Settings) -> bool:
    large = "x" * 2 * settings.payload_threshold
    kept = await converter(settings.model_copy(update={"payload_store": "redis"})).encode([large])
    return len(kept[0].SerializeToString()) < settings.payload_threshold


@pytest.mark.parametrize("asks", [command, doctor, large_payload])
async def test_waits_for_an_answer_that_a_worker_would_give_up(
    asks: Callable[[Settings], Awaitable[bool]], settings: Settings, redis: Redis
) -> None:
    own = settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    os.kill(redis.child.pid, signal.SIGSTOP)
    late = 2 * own.store_timeout.total_seconds()
    asyncio.get_running_loop().call_later(late, os.kill, redis.child.pid, signal.SIGCONT)
    assert await asks(own)
