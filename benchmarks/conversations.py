"""Many conversations at once, each with runs one after another and beside each other, on one worker."""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.comparing import say
from benchmarks.crew import Crew
from benchmarks.report import Result
from benchmarks.variants.surefoot import settings
from benchmarks.workloads import ANSWER
from surefoot.client import SurefootClient
from surefoot.client.connection import connect
from surefoot.contracts.budgets import BudgetLimit, ScopeKind, dollars
from surefoot.contracts.runs import RunRequest
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store

WORKLOADS = (("L1",), ("L0", "L0"))
"""One run with a tool; then two at once without."""
EACH = sum(map(len, WORKLOADS))


@dataclass(frozen=True)
class Talk:
    """What one conversation came to."""

    session: str
    answered: int
    """Runs with the right answer."""
    spent: int
    """Nano-dollars, by what the runs say."""


async def talk(surefoot: SurefootClient, session: str) -> Talk:
    results = []
    for step, workloads in enumerate(WORKLOADS):
        requests = [
            RunRequest(prompt=workload, profile="bench", key=f"{session}-{step}-{number}", session=session)
            for number, workload in enumerate(workloads)
        ]
        results += await asyncio.gather(*map(surefoot.run, requests))
    return Talk(
        session,
        answered=sum(result.text == ANSWER for result in results),
        spent=sum(result.usage.cost_nanos for result in results),
    )


async def right(office: RedisOffice, talk: Talk) -> bool:
    """Whether the books of the conversation hold what its runs have spent, and nothing is held any more."""
    books = await office.budget("default", ScopeKind.SESSION, talk.session, BudgetLimit(limit=0))
    return talk.spent > 0 and books.settled == talk.spent and books.held == 0


async def measured(crew: Crew, conversations: int) -> list[Result]:
    member = await crew.hire("conversations", "--redis", crew.redis.url, module="benchmarks.variants.surefoot")
    found = settings(crew.temporal.address, member.queue, crew.redis.url)
    surefoot = SurefootClient(await connect(found), task_queue=member.queue)
    await talk(surefoot, "warm")
    began, cpu = time.perf_counter(), member.cpu
    talks = await asyncio.gather(*(talk(surefoot, f"session-{number}") for number in range(conversations)))
    took, runs = time.perf_counter() - began, conversations * EACH
    cpu = member.cpu - cpu
    store = Store.connect(found.redis_url.get_secret_value(), timeout=found.store_timeout * 10)
    office = RedisOffice(store, found.key_prefix)
    books = [await right(office, one) for one in talks]
    await store.close()
    spent = dollars(sum(one.spent for one in talks))
    say(f"{conversations} conversations had {runs} runs in {took:.0f} s, and spent ${spent}")
    await member.child.stop()
    name = f"{conversations} conversations"
    answered = sum(one.answered for one in talks)
    return [
        Result(f"{name}, runs with the right answer", answered, "runs", runs, at_least=True),
        Result(f"{name}, whose books are right", books.count(True), "of them", conversations, at_least=True),
        Result(f"{name}, throughput", runs / took, "runs/s"),
        Result(f"{name}, worker's CPU a run", cpu / runs * 1e3, "ms"),
    ]
