"""What runs cost: Surefoot with everything on, and without its guards, as multiples of a bare loop on Temporal.

All variants do the same turns and the same tool calls on the same servers; each has a worker process of its own, and
one process starts all their runs. In each round they take turns, run by run where one runs alone, block by block where
20 are in flight; a ratio is of one round, and what is told is the median of the rounds.

Prints a table and writes ``benchmarks/results/runs.json``; with ``--json`` prints what it writes. The exit code says
that it was measured: 0 whatever the figures; a miss is marked as one in both.
"""

import tempfile
from functools import partial
from pathlib import Path

from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.comparing import FULL, QUICK, Pace, Variant, measured
from benchmarks.crew import Crew, assembled
from benchmarks.figures import compared
from benchmarks.report import Result, main
from benchmarks.starting import Bare, Ours

FLOOR, OURS, UNGUARDED = "floor", "surefoot", "surefoot, guards off"


async def hired(crew: Crew, client: Client) -> list[Variant]:
    """The floor comes first: the others are its multiples."""
    redis = ("--redis", crew.redis.url)
    floor, ours = await crew.hire("floor"), await crew.hire("surefoot", *redis)
    unguarded = await crew.hire("unguarded", *redis)
    return [
        Variant(FLOOR, floor, Bare(client, floor.queue)),
        Variant(OURS, ours, Ours(client, ours.queue)),
        Variant(UNGUARDED, unguarded, Ours(client, unguarded.queue)),
    ]


async def measure(pace: Pace = FULL) -> tuple[str, list[Result]]:
    """Redis's version, and every figure."""
    with tempfile.TemporaryDirectory() as folder:
        async with assembled(Path(folder)) as crew, Redis.from_url(crew.redis.url) as redis:
            client = await Client.connect(crew.temporal.address, data_converter=pydantic_data_converter)
            variants = await hired(crew, client)
            results = compared(variants, await measured(variants, pace), OURS)
            return str((await redis.info("server"))["redis_version"]), results


if __name__ == "__main__":
    main("runs", __doc__, measure, partial(measure, QUICK))
