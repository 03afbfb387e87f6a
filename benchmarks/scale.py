"""Many runs on one worker: waiting for people, in conversations, and when their worker is killed.

2,000 runs wait for approval: the memory of each is the growth of the worker's resident memory by the runs, first of as
many as it keeps in memory, then of all; then all are decided. 500 conversations are open at once, each with a run and
then two beside each other: all answer, and each session's books hold what its runs say they spent. A worker is killed
with 50 runs in flight, with another one there, and the times of production: by the histories, from the kill to the
first thing that the other one did for the last of them.

Prints a table and writes ``benchmarks/results/scale.json``; with ``--json`` prints what it writes. The exit code says
that it was measured: 0 whatever the figures; a miss is marked as one in both.
"""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from benchmarks import conversations, recovery, waiting
from benchmarks.crew import assembled
from benchmarks.report import Result, main


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    waiting: int
    step: int
    """Runs that are started before memory is read again."""
    conversations: int
    in_flight: int
    kills: int


FULL = Size(waiting=2000, step=500, conversations=500, in_flight=50, kills=2)
QUICK = Size(waiting=60, step=30, conversations=20, in_flight=10, kills=1)


async def measure(size: Size = FULL) -> tuple[str, list[Result]]:
    """Redis's version, and every figure."""
    with tempfile.TemporaryDirectory() as folder:
        async with assembled(Path(folder)) as crew, Redis.from_url(crew.redis.url) as redis:
            results = [
                *await recovery.measured(crew, size.in_flight, size.kills),
                *await conversations.measured(crew, size.conversations),
                *await waiting.measured(crew, size.waiting, size.step),
            ]
            return str((await redis.info("server"))["redis_version"]), results


if __name__ == "__main__":
    main("scale", __doc__, measure, partial(measure, QUICK))
