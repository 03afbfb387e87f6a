"""How every peer is served: as its documentation says, by a worker whose settings are Temporal's own.

``--unsandboxed`` leaves the sandbox out, as Surefoot's own workers do where they are not told otherwise.
"""

from collections.abc import Callable, Sequence

from temporalio.client import Client, Plugin
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from benchmarks.variants import serving


def serve(workflow: type, plugin: Plugin, activities: Sequence[Callable[..., object]] = ()) -> None:
    """Serve the queue that the command line names until SIGTERM; says that it is ready when it polls."""

    async def main() -> None:
        parser = serving.arguments()
        parser.add_argument("--unsandboxed", action="store_true")
        given = parser.parse_args()
        worker = Worker(
            await Client.connect(given.address, plugins=[plugin]),
            task_queue=given.queue,
            workflows=[workflow],
            activities=activities,
            workflow_runner=UnsandboxedWorkflowRunner() if given.unsandboxed else SandboxedWorkflowRunner(),
        )
        await serving.served(worker)

    serving.run(main)
