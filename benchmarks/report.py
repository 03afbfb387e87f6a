"""What every benchmark leaves: where and with what it ran, and each figure beside its limit."""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LIBRARIES = ("temporalio", "redis", "hiredis", "pydantic", "google-genai", "mistralai")


@dataclass(frozen=True)
class Result:
    """One figure. ``limit`` is the most, or with ``at_least`` the least, that it should be; None: just told."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

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


def context(**servers: str) -> Context:
    """Where this runs; ``servers`` adds their versions by name."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Context(
        machine=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count() or 0,
        python=platform.python_version(),
        versions={**{name: version(name) for name in LIBRARIES}, **servers},
        load=os.getloadavg()[0],
        commit=commit.stdout.strip() or "unknown",
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def write(name: str, where: Context, results: list[Result]) -> Path:
    """Write ``results/<name>.json`` and return its path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    rows = [{"name": r.name, "value": round(r.value, 4), "unit": r.unit, "limit": r.limit, "ok": r.ok} for r in results]
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"context": asdict(where), "results": rows}, indent=2) + "\n")
    return path


def show(title: str, results: list[Result]) -> None:
    """Print the figures as a table; a miss is shown as a miss."""
    table = Table(title=title, title_justify="left")
    for heading in ("what", "value", "unit", "limit", ""):
        table.add_column(heading, justify="right" if heading in ("value", "limit") else "left")
    for r in results:
        limit = "" if r.limit is None else f"{'≥' if r.at_least else '≤'} {r.limit:g}"
        verdict = "" if r.limit is None else ("ok" if r.ok else "missed")
        table.add_row(r.name, f"{r.value:.2f}", r.unit, limit, verdict)
    Console().print(table)
