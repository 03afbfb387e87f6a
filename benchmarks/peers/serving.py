"""How every peer is served: as its documentation says, by a worker whose settings are Temporal's own."""

import argparse
import asyncio
import os
import signal
from collections.abc import Callable, Sequence

from temporalio.client import Client, Plugin
from temporalio.worker import Worker

Activities = Sequence[Callable[..., object]]


def serve(workflow: type, plugin: Plugin, activities: Activities = ()) -> None:
    """Serve until SIGTERM; says ``ready`` on a line when it polls."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--queue", required=True)
    given = parser.parse_args()
    asyncio.run(_serve(given.address, given.queue, workflow, plugin, activities))
    os._exit(0)  # Temporal's threads can abort an interpreter that ends by itself (temporalio/sdk-python#300)


async def _serve(address: str, queue: str, workflow: type, plugin: Plugin, activities: Activities) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    client = await Client.connect(address, plugins=[plugin])
    async with Worker(client, task_queue=queue, workflows=[workflow], activities=activities):
        print("ready", flush=True)
        await ended.wait()
