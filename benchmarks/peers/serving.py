"""How every peer is served: as its documentation says, by a worker whose settings are Temporal's own."""

from collections.abc import Callable, Sequence

from temporalio.client import Client, Plugin
from temporalio.worker import Worker

from benchmarks.variants import serving


def serve(workflow: type, plugin: Plugin, activities: Sequence[Callable[..., object]] = ()) -> None:
    """Serve the queue that the command line names until SIGTERM; says that it is ready when it polls."""

    async def main() -> None:
        given = serving.arguments().parse_args()
        client = await Client.connect(given.address, plugins=[plugin])
        await serving.served(Worker(client, task_queue=given.queue, workflows=[workflow], activities=activities))

    serving.run(main)
