"""The worker of Surefoot, everything on, with a model that takes its time, so that calls are in flight."""

from datetime import timedelta

import uvloop

from benchmarks.variants import serving
from benchmarks.variants.reader import PROVIDER, Reader, read_page
from benchmarks.variants.surefoot import arguments, settings
from surefoot import logs
from surefoot.client.connection import connect
from worker import composed


async def main() -> None:
    parser = arguments()
    parser.add_argument("--think", type=float, required=True, help="seconds that each answer of the model takes")
    given = vars(parser.parse_args())
    model = Reader(timedelta(seconds=given.pop("think")))
    found = settings(**given)
    logs.configure(found)
    client = await connect(found)
    async with composed(found, client, designs=(read_page,), **{PROVIDER: model}) as worker:
        await serving.served(worker)


if __name__ == "__main__":
    serving.run(main, uvloop.new_event_loop)
