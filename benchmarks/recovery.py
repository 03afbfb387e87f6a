"""A worker that is killed with runs in flight, while another one is there: when the last of them has moved on."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from benchmarks.comparing import say
from benchmarks.crew import Crew
from benchmarks.report import Result
from benchmarks.variants.surefoot import settings
from benchmarks.waiting import all_of
from benchmarks.workloads import ANSWER
from surefoot.client import SurefootClient
from surefoot.client.connection import connect
from surefoot.contracts.runs import RunRequest

WORKLOAD, THINK = "L12", 1.0
"""Thirteen answers of the model, a second each, with a tool call between them: while the other worker starts, the runs
come to be at all steps, and none of them ends."""
SLACK = 2.0
"""Seconds, beyond heartbeat and sticky."""


async def since(client: Client, run: str, worker: int, when: datetime) -> float:
    """Seconds from ``when`` to the first thing that the worker, named by its process, did for the run after it."""
    times = [at async for at, identity in doers(client, run) if identity.startswith(f"{worker}@")]
    later = [(at - when).total_seconds() for at in times if at >= when]
    if not later:
        raise RuntimeError(f"worker {worker} did nothing for run {run!r} after {when}")
    return min(later)


async def doers(client: Client, run: str) -> AsyncIterator[tuple[datetime, str]]:
    """When something was begun or done for the run, and by whom."""
    async for event in client.get_workflow_handle(run).fetch_history_events():
        identity = _identity(event)
        if identity:
            yield event.event_time.ToDatetime(UTC), identity


def _identity(event: HistoryEvent) -> str:
    kind = event.WhichOneof("attributes")
    identity: str = getattr(getattr(event, kind), "identity", "") if kind else ""
    return identity


async def killed(crew: Crew, runs: int, round: int) -> float:
    """Seconds from the kill until the last run has moved on at the other worker; all of them end well."""
    queue, words = f"recovery-{round}", ("--redis", crew.redis.url, "--think", str(THINK))
    doomed = await crew.hire(queue, *words, module="benchmarks.variants.thinking")
    client = await connect(settings(crew.temporal.address, queue, crew.redis.url))
    surefoot = SurefootClient(client, task_queue=queue)

    async def start(name: str) -> str:
        request = RunRequest(prompt=WORKLOAD, profile="bench", key=name, session=name)
        return (await surefoot.start(request)).run

    started = await all_of(start, (f"{queue}-{number}" for number in range(runs)))
    other = await crew.hire(queue, *words, module="benchmarks.variants.thinking")
    doomed.child.kill()
    when = datetime.now(UTC)
    results = await asyncio.gather(*map(surefoot.result, started))
    if wrong := [result.text for result in results if result.text != ANSWER]:
        raise RuntimeError(f"{len(wrong)} runs answered otherwise, such as {wrong[0]!r}")
    last = max([await since(client, run, other.child.pid, when) for run in started])
    say(f"a worker was killed with {runs} runs in flight: the last of them moved on after {last:.1f} s")
    await other.child.stop()
    return last


async def measured(crew: Crew, runs: int, rounds: int) -> list[Result]:
    times = settings(crew.temporal.address, "recovery", crew.redis.url)
    limit = (times.heartbeat + times.sticky).total_seconds() + SLACK
    began = time.perf_counter()
    worst = max([await killed(crew, runs, round) for round in range(1, rounds + 1)])
    say(f"{rounds} kills took {time.perf_counter() - began:.0f} s")
    return [Result(f"SIGKILL with {runs} runs in flight, until all moved on, worst of {rounds}", worst, "s", limit)]
