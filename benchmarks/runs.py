"""What runs cost: Surefoot with everything on, and without its guards, as multiples of a bare loop on Temporal.

All variants do the same turns and the same tool calls on the same servers; each has a worker process of its own, and
one process starts all their runs. In each round they take turns, run by run where one runs alone, block by block where
20 are in flight; a ratio is of one round, and what is told is the median of the rounds.

Prints a table and writes ``benchmarks/results/runs.json``; with ``--json`` prints what it writes. The exit code says
that it was measured: 0 whatever the figures; a miss is marked as one in both.
"""

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.command_line import help_shown
from benchmarks.comparing import FULL, QUICK, Pace, Variant, measured
from benchmarks.crew import Crew, assembled
from benchmarks.figures import compared
from benchmarks.report import Result, main
from benchmarks.starting import Bare, Ours, directed

FLOOR, OURS, UNGUARDED = "floor", "surefoot", "surefoot, guards off"
OPEN_FLOOR = "floor, sandbox off"
SDK = "surefoot, Gemini's SDK"


async def hired(crew: Crew, client: Client) -> list[Variant]:
    """The floor comes first: the others are its multiples."""
    redis = ("--redis", crew.redis.url)
    floor, ours = await crew.hire("floor"), await crew.hire("surefoot", *redis)
    open_floor = await crew.hire("open-floor", "--unsandboxed", module="benchmarks.variants.floor")
    unguarded = await crew.hire("unguarded", *redis)
    return [
        Variant(FLOOR, floor, Bare(client, floor.queue)),
        Variant(OURS, ours, Ours(client, ours.queue)),
        Variant(UNGUARDED, unguarded, Ours(client, unguarded.queue)),
        Variant(OPEN_FLOOR, open_floor, Bare(client, open_floor.queue)),
    ]


async def over_http(crew: Crew, client: Client, floor: Variant, pace: Pace) -> list[Result]:
    """The same runs with their model calls through the real SDK, to the simulator's Gemini; compared with nothing."""
    gemini = ("--gemini", await crew.simulated("gemini"))
    member = await crew.hire("http", "--redis", crew.redis.url, *gemini, module="benchmarks.variants.surefoot")
    variant = Variant(SDK, member, Ours(client, member.queue, "simulated", directed))
    found = compared([floor, variant], await measured([floor, variant], pace), OURS)
    return [result for result in found if SDK in result.name]


async def measure(pace: Pace = FULL) -> tuple[str, list[Result]]:
    """Redis's version, and every figure. The pass over HTTP has a third of the rounds."""
    with tempfile.TemporaryDirectory() as folder:
        async with assembled(Path(folder)) as crew, Redis.from_url(crew.redis.url) as redis:
            client = await Client.connect(crew.temporal.address, data_converter=pydantic_data_converter)
            variants = await hired(crew, client)
            results = compared(variants, await measured(variants, pace), OURS)
            results += await over_http(crew, client, variants[0], replace(pace, rounds=max(2, pace.rounds // 3)))
            results += await help_shown(pace.starts)
            return str((await redis.info("server"))["redis_version"]), results


if __name__ == "__main__":
    main("runs", __doc__, measure, partial(measure, QUICK))
