"""Runs that wait for a human, on one worker: the memory that each takes, and how fast all are decided."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from benchmarks.comparing import say
from benchmarks.crew import Crew
from benchmarks.report import Result
from benchmarks.variants.surefoot import settings
from surefoot import attributes
from surefoot.client import SurefootClient
from surefoot.client.connection import connect
from surefoot.client.search import Search
from surefoot.contracts.approvals import ApprovalDecision, Verdict
from surefoot.contracts.runs import RunRequest

T = TypeVar("T")

CACHED = 1000
"""Runs that a worker keeps in memory, by the SDK's default; an older one is replayed when it goes on."""
WARM = 50
"""Runs before any is counted: a new worker imports, connects and fills its caches."""
CALLERS = 16
"""Of Temporal, at a time."""
PATIENCE = timedelta(seconds=60)
"""With a question: the whole machine is busy with the decisions before it."""
SETTLED = 1.0
"""Seconds after which nothing is in flight any more."""
WORKLOAD = "L1"
"""One page, and a human is asked first."""
LIMIT = 150.0


@dataclass(frozen=True)
class Desk:
    """Where runs are started and decided."""

    surefoot: SurefootClient

    async def start(self, name: str) -> str:
        request = RunRequest(prompt=WORKLOAD, profile="gated", key=name, session=name)
        return (await self.surefoot.start(request)).run

    async def decide(self, run: str) -> None:
        """Approve, and wait for the answer."""
        asked = await self.surefoot.open_request(run)
        await self.surefoot.decide(run, ApprovalDecision(request_id=asked.id, verdict=Verdict.APPROVE, by="bench"))
        await self.surefoot.result(run)

    async def waiting(self, runs: int) -> None:
        """Until so many wait."""
        search = Search("AgentWorkflow", statuses=("Running",), values={attributes.WAITING: attributes.APPROVAL})
        while (await self.surefoot.temporal.count_workflows(search.query)).count < runs:  # noqa: ASYNC110  # other processes make it so
            await asyncio.sleep(0.2)
        await asyncio.sleep(SETTLED)


async def all_of(doing: Callable[[str], Awaitable[T]], names: Iterable[str]) -> list[T]:
    """Do it to each, some at a time."""
    gate = asyncio.Semaphore(CALLERS)

    async def one(name: str) -> T:
        async with gate:
            return await doing(name)

    return list(await asyncio.gather(*map(one, names)))


async def measured(crew: Crew, runs: int, step: int) -> list[Result]:
    """So many runs, of which ``step`` at a time are started."""
    member = await crew.hire("waiting", "--redis", crew.redis.url, module="benchmarks.variants.surefoot")
    client = await connect(settings(crew.temporal.address, member.queue, crew.redis.url))
    desk = Desk(SurefootClient(client, task_queue=member.queue, answer_within=PATIENCE))
    warm = await all_of(desk.start, (f"warm-{number}" for number in range(WARM)))
    await desk.waiting(WARM)
    await all_of(desk.decide, warm)
    await asyncio.sleep(SETTLED)
    resident = [member.resident]
    began = time.perf_counter()
    waiting: list[str] = []
    while len(waiting) < runs:
        waiting += await all_of(desk.start, (f"run-{len(waiting) + number}" for number in range(step)))
        await desk.waiting(len(waiting))
        resident.append(member.resident)
        say(f"{len(waiting)} runs wait; the worker has {member.resident / 1024:.0f} MB")
    asked = time.perf_counter() - began
    began = time.perf_counter()
    await all_of(desk.decide, waiting)
    decided = time.perf_counter() - began
    say(f"{runs} runs were decided in {decided:.0f} s")
    peak = member.peak
    await member.child.stop()
    memory = {number * step: grown - resident[0] for number, grown in enumerate(resident) if number}
    return [
        *(
            Result(f"{number} waiting runs, memory of each", memory[number] / number, "KB", LIMIT)
            for number in sorted({min(runs, CACHED), runs})
        ),
        Result(f"{runs} waiting runs, peak memory of the worker", peak, "MB"),
        Result(f"{runs} waiting runs, from the first start until all wait", asked, "s"),
        Result(f"{runs} waiting runs, from the first decision until all have answered", decided, "s"),
        Result(f"{runs} waiting runs, decided and answered", runs / decided, "runs/s"),
    ]
