"""The worker of Surefoot as ``worker.py`` makes it, everything on, but for the model and the tool."""

import argparse
from pathlib import Path

from benchmarks.variants import serving
from benchmarks.variants.reader import PROVIDER, Reader, read_page
from surefoot import logs
from surefoot.client.connection import connect
from surefoot.settings import Settings, load
from worker import composed

AGENTS = Path(__file__).resolve().parents[1] / "agents"
NOWHERE = "http://127.0.0.1:9"
"""The address of a back end that the tool never asks, which it must have all the same."""


def arguments() -> argparse.ArgumentParser:
    parser = serving.arguments()
    parser.add_argument("--gemini", help="URL of a simulated Gemini, for the real SDK")
    parser.add_argument("--external", type=int, help="bytes from which on payloads are kept in Redis")
    return parser


def settings(given: argparse.Namespace) -> Settings:
    """Those of a worker in production, at the given addresses."""
    simulated = {"GEMINI_API_URL": given.gemini, "GEMINI_API_KEY": "bench"} if given.gemini else {}
    external = {"SUREFOOT_PAYLOAD_STORE": "redis", "SUREFOOT_PAYLOAD_THRESHOLD": given.external}
    return load(
        _env_file=None,
        REDIS_URL=given.redis,
        TEMPORAL_ADDRESS=given.address,
        SEARCH_API_URL=NOWHERE,
        SUREFOOT_AGENTS_DIR=AGENTS,
        SUREFOOT_TASK_QUEUE=given.queue,
        SUREFOOT_KEY_PREFIX=given.queue,
        **simulated,
        **(external if given.external else {}),
    )


async def main() -> None:
    found = settings(arguments().parse_args())
    logs.configure(found)
    client = await connect(found)
    async with composed(found, client, designs=(read_page,), **{PROVIDER: Reader()}) as worker:
        await serving.served(worker)


if __name__ == "__main__":
    serving.run(main)
