"""`python -m tests.replay.record [NAME ...]`: record this version's histories on a stack of its own.

Nothing is overwritten: what is to be recorded anew before a release is removed by hand. Exit code 1 if anything is
there already or could not be recorded.
"""

import asyncio
import logging
import os
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from surefoot.client import SurefootClient
from surefoot.embedded.lending import NO_TEMPORAL_CONFIG
from surefoot.embedded.redis import Redis
from surefoot.embedded.stack import Stack
from surefoot.settings import load
from surefoot.simulator.client import SimulatorClient
from tests.replay import golden
from tests.replay.scenarios import SCENARIOS, Place
from worker import composed

AGENTS = Path(__file__).parent / "agents"
PROJECT = Path(__file__).parents[2] / "pyproject.toml"
IDENTITY = "worker"
"""Stands for process and host in what is recorded, evidence included."""


def version() -> str:
    named: str = tomllib.loads(PROJECT.read_text())["project"]["version"]
    return named


@asynccontextmanager
async def place(name: str, *, simulator_url: str, redis: Redis, temporal_address: str) -> AsyncIterator[Place]:
    """A worker, a task queue and a world of the scenario's own."""
    client = await Client.connect(temporal_address, identity=IDENTITY, data_converter=pydantic_data_converter)
    async with SimulatorClient(simulator_url, f"recorded-{name}") as simulator:
        settings = load(
            SUREFOOT_ENV="test",
            SUREFOOT_AGENTS_DIR=AGENTS,
            SUREFOOT_TASK_QUEUE=f"recorded-{name}",
            SUREFOOT_KEY_PREFIX=f"recorded-{name}",
            SUREFOOT_HEARTBEAT=timedelta(seconds=1),
            REDIS_URL=redis.url,
            TEMPORAL_ADDRESS=temporal_address,
            **simulator.variables,
            _env_file=None,
        )
        async with composed(settings, client) as worker, worker:
            yield Place(SurefootClient(client, task_queue=settings.task_queue), simulator, redis)


async def histories(client: Client, workflows: Iterable[str]) -> list[WorkflowHistory]:
    """Of each workflow all histories that it went on in, the oldest first."""
    found: list[WorkflowHistory] = []
    for workflow in workflows:
        chain: list[WorkflowHistory] = []
        execution = (await client.get_workflow_handle(workflow).describe()).run_id
        while execution:
            one = await client.get_workflow_handle(workflow, run_id=execution).fetch_history()
            chain.insert(0, one)
            execution = one.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        found += chain
    return found


async def record(name: str, folder: Path, where: Place) -> list[Path]:
    """Play one scenario and write down what came of it. Raises ``FileExistsError`` before it begins."""
    if there := golden.written(folder, name):
        raise FileExistsError(f"{name} is recorded already: {', '.join(path.name for path in there)}")
    found = await histories(where.surefoot.temporal, await SCENARIOS[name](where))
    paths = [folder / f"{name}-{number}.json.gz" for number in range(1, len(found) + 1)]
    for path, history in zip(paths, found, strict=True):
        golden.write(path, history)
    return paths


async def recorded(names: Iterable[str], folder: Path) -> bool:
    """Record each on one stack, and say so; False if one could not be."""
    good = True
    with tempfile.TemporaryDirectory(prefix="surefoot-recorded-") as state:
        async with Stack(Path(state), given={}, in_memory=True, ui=False) as stack:
            for name in names:
                redis, url = await stack.start_redis(), stack.simulator_url or ""
                address = stack.lent["TEMPORAL_ADDRESS"]
                try:
                    async with place(name, simulator_url=url, redis=redis, temporal_address=address) as where:
                        print(*[path.name for path in await record(name, folder, where)])
                except (FileExistsError, ValueError) as error:
                    good = False
                    print(error, file=sys.stderr)
    return good


def main() -> None:
    names = sys.argv[1:] or list(SCENARIOS)
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        sys.exit(f"no scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}")
    os.environ.update(NO_TEMPORAL_CONFIG)
    logging.disable(logging.WARNING)  # what fails is meant to
    good = asyncio.run(recorded(names, golden.FOLDER / version()))
    sys.stdout.flush()
    os._exit(0 if good else 1)  # a Temporal client can abort at interpreter exit: temporalio/sdk-python#300


if __name__ == "__main__":
    main()
