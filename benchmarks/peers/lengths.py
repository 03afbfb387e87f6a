"""How large histories get, and how far a long run comes before Temporal ends it, at 50 MB or 51,200 events."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.comparing import Variant, say
from benchmarks.histories import Written, written
from benchmarks.report import Result
from benchmarks.starting import CutShort
from benchmarks.workloads import R3

LONG, FAR, TURNS = "L50", "L150", 150


@dataclass(frozen=True)
class Length:
    """Of one run."""

    left: Written
    seconds: float
    why: str = ""
    """It was ended before its answer; empty: it answered."""


async def length(variant: Variant, workload: str) -> Length:
    say(f"{variant.name}: {workload}")
    began, why = time.perf_counter(), ""
    try:
        id = await variant.run(workload)
    except CutShort as cut:
        id, why = cut.id, cut.why
    seconds = time.perf_counter() - began
    return Length(await written(variant.run.client, id), seconds, why)


async def lengths(variants: Sequence[Variant]) -> list[Result]:
    """Of R3 and of 50 turns."""
    found: list[Result] = []
    for variant in variants:
        for workload in (R3.name, LONG):
            left, name = (await length(variant, workload)).left, f"{workload}, {variant.name}"
            found.append(Result(f"{name}, events but of workflow tasks", left.events, "events"))
            found.append(Result(f"{name}, history", left.size / 1e3, "kB"))
    return found


async def distances(variants: Sequence[Variant], ours: str) -> list[Result]:
    """Of 150 turns, all of which are asked of the variant ``ours`` names."""
    return [result for v in variants for result in _far(v.name, await length(v, FAR), v.name == ours)]


def _far(name: str, gone: Length, all_of_it: bool) -> list[Result]:
    calls = gone.left.activities // 2  # each turn has two activities, and the answer one more
    end = f", then: {gone.why}" if gone.why else ""
    least = TURNS if all_of_it else None
    return [
        Result(f"{FAR}, {name}, tool calls done{end}", calls, "calls", least, at_least=True),
        Result(f"{FAR}, {name}, history", gone.left.size / 1e3, "kB"),
        Result(f"{FAR}, {name}, histories", gone.left.histories, "histories"),
        Result(f"{FAR}, {name}, took", gone.seconds, "s"),
    ]
