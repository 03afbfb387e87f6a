"""The worker of Surefoot as ``worker.py`` makes it, everything on, but for the model and the tool."""

import argparse
from pathlib import Path

import uvloop

from benchmarks.variants import serving
from benchmarks.variants.reader import PROVIDER, Reader, read_page
from surefoot import logs
from surefoot.client.connection import connect
from surefoot.settings import Settings, load
from worker import composed, settle

AGENTS = Path(__file__).resolve().parents[1] / "agents"
NOWHERE = "http://127.0.0.1:9"
"""The address of a back end that the tool never asks, which it must have all the same."""


def arguments() -> argparse.ArgumentParser:
    parser = serving.arguments()
    parser.add_argument("--redis", required=True, help="URL of a Redis")
    parser.add_argument("--gemini", help="URL of a simulated Gemini, for the real SDK")
    parser.add_argument("--external", type=int, help="bytes from which on payloads are kept in Redis")
    return parser


def settings(address: str, queue: str, redis: str, gemini: str | None = None, external: int | None = None) -> Settings:
    """Those of a production worker at the given addresses. Keys in Redis begin with the queue's name."""
    simulated = {"GEMINI_API_URL": gemini, "GEMINI_API_KEY": "bench"}
    out_of_line = {"SUREFOOT_PAYLOAD_STORE": "redis", "SUREFOOT_PAYLOAD_THRESHOLD": external}
    return load(
        _env_file=None,
        REDIS_URL=redis,
        TEMPORAL_ADDRESS=address,
        SEARCH_API_URL=NOWHERE,
        SUREFOOT_AGENTS_DIR=AGENTS,
        SUREFOOT_TASK_QUEUE=queue,
        SUREFOOT_KEY_PREFIX=queue,
        **(simulated if gemini else {}),
        **(out_of_line if external else {}),
    )


async def main() -> None:
    found = settings(**vars(arguments().parse_args()))
    logs.configure(found)
    client = await connect(found)
    async with composed(found, client, designs=(read_page,), **{PROVIDER: Reader()}) as worker:
        settle()
        await serving.served(worker)


if __name__ == "__main__":
    serving.run(main, uvloop.new_event_loop)
