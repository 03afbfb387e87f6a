"""The worker of the floor: Temporal's SDK as it comes, in its sandbox, with its converter for pydantic."""

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from benchmarks.variants import serving
from benchmarks.variants.bare import Bench, read_page, think


async def main() -> None:
    given = serving.arguments().parse_args()
    client = await Client.connect(given.address, data_converter=pydantic_data_converter)
    await serving.served(Worker(client, task_queue=given.queue, workflows=[Bench], activities=[think, read_page]))


if __name__ == "__main__":
    serving.run(main)
