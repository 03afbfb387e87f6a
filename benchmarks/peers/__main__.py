"""What runs cost with Surefoot and with its peers, as multiples of a bare loop on Temporal, on the same servers.

Surefoot has everything on, the peers have no guards; all do the same turns and the same tool calls, as
``benchmarks.comparing`` says. Here Surefoot is to be ahead of all of them: what the best of them reaches is its limit.

Prints a table and writes ``benchmarks/results/peers.json``; with ``--json`` prints what it writes. The exit code says
that it was measured: 0 whatever the figures; a miss is marked as one in both.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.comparing import FULL, QUICK, Pace, Variant, measured
from benchmarks.crew import Crew, assembled
from benchmarks.figures import compared
from benchmarks.peers.installed import python, versions
from benchmarks.peers.lengths import distances, lengths
from benchmarks.report import Result, main
from benchmarks.starting import Bare, Ours

FLOOR, OURS = "floor", "surefoot"
PEERS = {"Pydantic AI": "pydantic_ai", "OpenAI Agents": "openai_agents"}
UNBOXED = {f"{name}, sandbox off": program for name, program in PEERS.items()}
"""As Surefoot's own workers run, though no peer's documentation says so; told, but no limit."""
GOING_ON = {"Pydantic AI, continuing as new": "pydantic_ai_continued"}
"""Differs from its like in long runs alone."""
RATIO, P99 = "x floor", "R3 alone, p99"


async def hired(crew: Crew, client: Client) -> list[Variant]:
    """The floor comes first: the others are its multiples."""
    floor, ours = await crew.hire("floor"), await crew.hire("surefoot", "--redis", crew.redis.url)
    return [
        Variant(FLOOR, floor, Bare(client, floor.queue)),
        Variant(OURS, ours, Ours(client, ours.queue)),
        *await peers(crew, client, PEERS),
    ]


async def peers(crew: Crew, client: Client, programs: Mapping[str, str], *words: str) -> list[Variant]:
    found: list[Variant] = []
    for name, program in programs.items():
        queue, module = f"{program}{''.join(words)}", f"benchmarks.peers.{program}"
        member = await crew.hire(queue, *words, module=module, python=python())
        found.append(Variant(name, member, Bare(client, member.queue)))
    return found


def slowest(results: Sequence[Result]) -> list[Result]:
    """The 99th percentiles as multiples of the floor's."""
    values = {r.name.removeprefix(f"{P99}, "): r.value for r in results if r.name.startswith(P99)}
    floor = values.pop(FLOOR)
    return [Result(f"{P99}, {name} to floor", value / floor, RATIO) for name, value in values.items()]


def held_to_the_best(results: Sequence[Result]) -> list[Result]:
    """Each of Surefoot's multiples with the best peer's as its limit."""
    return [replace(r, limit=_best(r, results)) if _is_ours(r) else r for r in results]


def _is_ours(result: Result) -> bool:
    return result.unit == RATIO and f", {OURS} " in result.name


def _best(ours: Result, results: Sequence[Result]) -> float:
    names = {ours.name.replace(f", {OURS} ", f", {peer} ") for peer in PEERS}
    values = [r.value for r in results if r.unit == RATIO and r.name in names]
    return round(max(values) if ours.at_least else min(values), 4)


async def measure(pace: Pace = FULL) -> tuple[str, list[Result]]:
    """Redis's version, and every figure."""
    with tempfile.TemporaryDirectory() as folder:
        async with assembled(Path(folder)) as crew, Redis.from_url(crew.redis.url) as redis:
            client = await Client.connect(crew.temporal.address, data_converter=pydantic_data_converter)
            variants = await hired(crew, client)
            unboxed = await peers(crew, client, UNBOXED, "--unsandboxed")
            timed = compared([*variants, *unboxed], await measured([*variants, *unboxed], pace), OURS)
            results = held_to_the_best([*timed, *slowest(timed), *await lengths(variants)])
            results += await distances([*variants, *await peers(crew, client, GOING_ON)], OURS)
            return str((await redis.info("server"))["redis_version"]), results


if __name__ == "__main__":
    main("peers", __doc__, measure, partial(measure, QUICK), versions())
