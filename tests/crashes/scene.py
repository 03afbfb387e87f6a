"""Runs that one worker begins and another one ends, and what can be seen of them from outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.client import Client

from surefoot import attributes
from surefoot.client import SurefootClient
from surefoot.client.runs import RUN_WORKFLOW
from surefoot.contracts.runs import RunRequest
from surefoot.embedded.processes import Child
from surefoot.idempotency import workflow_id
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.chaos.evidence import Evidence, gathered
from tests.chaos.gale import End, Log
from tests.chaos.plan import Errand
from tests.chaos.promises import judged
from tests.support.workers import worker_process
from worker import composed

TASK_TIMEOUT = timedelta(seconds=1)
"""A workflow task that died with its worker is given to another one after this long, instead of the client's 5 s."""


@dataclass
class Scene:
    """One tenant's runs on the session's servers."""

    settings: Settings
    client: Client
    simulator: SimulatorClient
    tenant: str
    log: Log = field(default_factory=Log)
    queues: set[str] = field(default_factory=set)
    """Task queues that runs were started on."""

    @property
    def surefoot(self) -> SurefootClient:
        return SurefootClient(self.client, task_queue=self.settings.task_queue)

    @property
    def redis_url(self) -> str:
        return self.settings.redis_url.get_secret_value()

    @property
    def tenants(self) -> tuple[str, ...]:
        return (self.tenant,)

    def at(self, queue: str) -> Settings:
        """The settings of a worker on a task queue of this scene, of which the name says the rest."""
        return self.settings.model_copy(update={"task_queue": f"{self.settings.task_queue}{queue}"})

    @asynccontextmanager
    async def doomed(self, point: str, queue: str = "") -> AsyncIterator[Child]:
        """A worker process that is armed for a crash point."""
        async with worker_process(self.at(queue), SUREFOOT_TEST_KILL_AT=point) as worker:
            yield worker

    async def start(self, *prompts: tuple[str, str], queue: str = "") -> None:
        """Start a run for each profile and prompt, as the client does but for ``TASK_TIMEOUT``.

        The runs of a profile on a queue have one session.
        """
        self.queues.add(queue)
        for profile, prompt in prompts:
            key, session = str(len(self.log.accepted)), f"{profile}{queue}"
            request = RunRequest(prompt=prompt, profile=profile, key=key, session=session, tenant=self.tenant)
            run = workflow_id(request.tenant, request.key)
            self.log.accepted[run] = Errand(request, twice=False)
            await self.client.start_workflow(
                RUN_WORKFLOW,
                request,
                id=run,
                task_queue=self.at(queue).task_queue,
                task_timeout=TASK_TIMEOUT,
                search_attributes=attributes.of_new_run(request),
            )

    async def ended(self) -> Evidence:
        """Let sound workers bring every run to its end, and look at what there is then."""
        async with AsyncExitStack() as workers:
            for queue in self.queues:
                worker = await workers.enter_async_context(composed(self.at(queue), self.client))
                await workers.enter_async_context(worker)
            runs = list(self.log.accepted)
            results = await asyncio.gather(*(self.surefoot.result(run) for run in runs))
            self.log.ends = {run: End(result=result) for run, result in zip(runs, results, strict=True)}
            return await gathered(self, self.log)

    def broken(self, seen: Evidence) -> list[str]:
        """The promises that were not kept."""
        return [f"{one.promise}: {one.breaches}" for one in judged(self.log, seen) if not one.held]
