"""The figures of a comparison: each as a multiple of the floor's, and as it was."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.comparing import Round, Variant
from benchmarks.report import Result
from benchmarks.timing import Spread


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[98]


def _ratio(name: str, ours: Sequence[float], floor: Sequence[float], limit: float | None, least: bool) -> Result:
    spread = Spread.of([one / base for one, base in zip(ours, floor, strict=True)])
    return Result(name, spread.median, "x floor", limit, at_least=least, spread=spread)


@dataclass(frozen=True)
class Figure:
    """Something that rounds are compared in."""

    name: str
    of: Callable[[Round], float]
    unit: str
    scale: float = 1
    limit: float | None = None
    """Of Surefoot with everything on, as a multiple of the floor's."""
    at_least: bool = False


FIGURES = (
    Figure("R3 alone, p50", lambda round: round.p50, "ms", 1e3, 1.25),
    Figure("R3 alone, CPU a run", lambda round: round.cpu_alone, "ms", 1e3, 1.5),
    Figure("R3, 20 in flight, throughput", lambda round: round.rate, "runs/s", 1, 0.80, at_least=True),
    Figure("R3, 20 in flight, CPU a run", lambda round: round.cpu, "ms", 1e3, 1.5),
)


def compared(variants: Sequence[Variant], rounds: Sequence[Sequence[Round]], ours: str) -> list[Result]:
    """Of all the rounds of each variant. The first is the floor; the limits hold for the variant ``ours`` names."""
    found: list[Result] = []
    for figure in FIGURES:
        values = [[figure.of(round) for round in kept] for kept in rounds]
        for variant, row in zip(variants[1:], values[1:], strict=True):
            limit = figure.limit if variant.name == ours else None
            found.append(_ratio(f"{figure.name}, {variant.name} to floor", row, values[0], limit, figure.at_least))
        for variant, row in zip(variants, values, strict=True):
            spread = Spread.of([value * figure.scale for value in row])
            found.append(Result(f"{figure.name}, {variant.name}", spread.median, figure.unit, spread=spread))
    for variant, kept in zip(variants, rounds, strict=True):
        seconds = [second for round in kept for second in round.seconds]
        found.append(Result(f"R3 alone, p99, {variant.name}", _p99(seconds) * 1e3, "ms"))
    found += [Result(f"peak memory, {v.name}", v.member.peak, "MB") for v in variants]
    return found
