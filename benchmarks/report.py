"""What every benchmark leaves: where and with what it ran, and each figure beside its limit."""

import argparse
import asyncio
import json
import os
import platform
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Self, TypeAlias

from rich.console import Console
from rich.table import Table

from benchmarks.timing import Spread
from surefoot.embedded import binaries

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
WIDTH = 140
"""Characters of the table, so that no name is broken where the output is no terminal."""
TIME = "µs"
"""The unit of figures that are parts of something."""
LIBRARIES = ("temporalio", "redis", "hiredis", "pydantic", "google-genai", "mistralai")


@dataclass(frozen=True)
class Result:
    """One figure. ``limit`` is the most, or with ``at_least`` the least, that it should be; None: just told."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    spread: Spread | None = None
    """Of the rounds whose median the value is."""

    @property
    def ok(self) -> bool:
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True)
class Context:
    """The machine and the versions."""

    machine: str
    cores: int
    python: str
    versions: dict[str, str]
    load: float
    """Of the last minute, before the benchmark began."""
    commit: str
    time: str

    def with_versions(self, **servers: str) -> Self:
        return replace(self, versions={**self.versions, **servers})


def context() -> Context:
    """Where this runs."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Context(
        machine=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count() or 0,
        python=platform.python_version(),
        versions={name: version(name) for name in LIBRARIES} | {"temporal-server": _server()},
        load=os.getloadavg()[0],
        commit=commit.stdout.strip() or "unknown",
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _server() -> str:
    """The version of the Temporal server that benchmarks start."""
    told = subprocess.run([binaries.temporal(), "--version"], capture_output=True, text=True, check=True).stdout
    return told.partition("Server ")[2].partition(",")[0] or told.strip()


def write(name: str, where: Context, results: list[Result], folder: Path = RESULTS) -> Path:
    """Write ``<name>.json`` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row for result in results for row in _rows(result)]
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"context": asdict(where), "results": rows}, indent=2) + "\n")
    return path


Measure: TypeAlias = Callable[[], Awaitable[tuple[str, list[Result]]]]
"""Gives the version of its redis-server and the figures."""


def main(
    name: str,
    about: str | None,
    measure: Measure,
    quickly: Measure | None = None,
    versions: Mapping[str, str] | None = None,
) -> None:
    """Measure, write ``<name>.json`` and print it: as a table, or with ``--json`` as it was written.

    ``about`` is what ``--help`` tells. ``quickly``, with ``--quick``, measures so little that it is printed alone;
    without it nothing is shorter. ``versions`` are of what takes part besides.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print what is written, instead of a table")
    parser.add_argument(
        "--quick", action="store_true", help="measure a little and write nothing, where that is possible"
    )
    given = parser.parse_args()
    where = context()
    doing = quickly if quickly and given.quick else measure

    async def measured() -> tuple[str, list[Result]]:
        return await doing()

    redis, results = asyncio.run(measured())
    if doing is quickly:
        return show(name.capitalize(), results)
    path = write(name, where.with_versions(**{"redis-server": redis}, **(versions or {})), results)
    if given.json:
        print(path.read_text(), end="")
    else:
        show(name.capitalize(), results)
        print(f"Written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return None


def _rows(result: Result) -> list[dict[str, object]]:
    """The figure, and its quartiles as figures of their own, which have no limit."""
    spread = result.spread
    quartiles = [("lower", spread.low), ("upper", spread.high)] if spread else []
    others = [Result(f"{result.name}, {which} quartile", value, result.unit) for which, value in quartiles]
    return [
        {"name": r.name, "value": round(r.value, 4), "unit": r.unit, "limit": r.limit, "ok": r.ok}
        for r in (result, *others)
    ]


def show(title: str, results: list[Result]) -> None:
    """Print the figures as a table, in which a miss is shown as a miss, and how long the parts of each thing take."""
    console = Console(width=WIDTH)
    console.print(_figures(title, [r for r in results if r.unit != TIME]))
    if times := [r for r in results if r.unit == TIME]:
        console.print(_times(times))


def _figures(title: str, results: list[Result]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("what", "median", "quartiles", "unit", "limit", ""):
        table.add_column(
            heading, justify="left" if heading in ("what", "unit", "") else "right", no_wrap=heading != "what"
        )
    for r in results:
        limit = "" if r.limit is None else f"{'≥' if r.at_least else '≤'} {r.limit:g}"
        verdict = "" if r.limit is None else ("ok" if r.ok else "MISS")
        quartiles = f"{r.spread.low:.2f} to {r.spread.high:.2f}" if r.spread else ""
        table.add_row(r.name, f"{r.value:,.{2 if r.value >= 1 else 3}f}", quartiles, r.unit, limit, verdict)
    return table


def _times(results: list[Result]) -> Table:
    """A row for each thing, a column for each of its parts: "admit, in Python" is a part of "admit"."""
    split = [(*r.name.rpartition(", ")[::2], r.value) for r in results]
    parts = list(dict.fromkeys(part for _, part, _ in split))
    table = Table("what", *parts, title=f"Where the time goes, {TIME}, one caller", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for thing in dict.fromkeys(thing for thing, _, _ in split):
        values = {part: value for name, part, value in split if name == thing}
        table.add_row(thing, *(f"{values[part]:.0f}" if part in values else "" for part in parts))
    return table
