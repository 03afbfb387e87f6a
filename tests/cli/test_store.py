"""How long a command waits for Redis."""

import asyncio
import os
import signal

from pydantic import SecretStr

from surefoot.cli.store import opened_store
from surefoot.embedded.redis import Redis
from surefoot.reliability.store import Step
from surefoot.settings import Settings


async def test_a_command_waits_for_an_answer_that_a_worker_would_give_up(settings: Settings, redis: Redis) -> None:
    own = settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    late = 2 * own.store_timeout.total_seconds()
    async with opened_store(own) as store:
        os.kill(redis.child.pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(late, os.kill, redis.child.pid, signal.SIGCONT)
        assert await store.one(Step(("ECHO", "here"), lambda row: row[0])) == "here"
