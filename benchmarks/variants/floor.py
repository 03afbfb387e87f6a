"""The worker of the floor: Temporal's SDK as it comes, with its sandbox and its converter for pydantic.

``--unsandboxed`` leaves the sandbox out, as Surefoot's own workers do where they are not told otherwise.
"""

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from benchmarks.variants import serving
from benchmarks.variants.bare import Bench, read_page, think


async def main() -> None:
    parser = serving.arguments()
    parser.add_argument("--unsandboxed", action="store_true")
    given = parser.parse_args()
    worker = Worker(
        await Client.connect(given.address, data_converter=pydantic_data_converter),
        task_queue=given.queue,
        workflows=[Bench],
        activities=[think, read_page],
        workflow_runner=UnsandboxedWorkflowRunner() if given.unsandboxed else SandboxedWorkflowRunner(),
    )
    await serving.served(worker)


if __name__ == "__main__":
    serving.run(main)
