"""Renews the tables of ``docs/performance.md`` from what the benchmarks have written.

A table stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "performance.md"
VARIANTS = ("floor", "surefoot", "surefoot, guards off", "surefoot, Gemini's SDK", "floor, sandbox off")
SIZED = ("floor", "surefoot", "surefoot, payloads out of line")
PEERS = (
    "floor",
    "surefoot",
    "Pydantic AI",
    "OpenAI Agents",
    "Pydantic AI, sandbox off",
    "OpenAI Agents, sandbox off",
    "Pydantic AI, continuing as new",
)
QUARTILES = ("lower quartile", "upper quartile")


@dataclass(frozen=True)
class Report:
    """One file of results."""

    context: Mapping[str, object]
    rows: Mapping[str, Mapping[str, float | str | bool | None]]
    """By name."""

    @classmethod
    def read(cls, path: Path) -> Self:
        found = json.loads(path.read_text())
        return cls(found["context"], {row["name"]: row for row in found["results"]})

    def shown(self, name: str) -> str:
        """The figure of a name; nothing if there is none."""
        row = self.rows.get(name)
        return "" if row is None else number(float(str(row["value"])))


def number(value: float) -> str:
    """With as many places as tell something."""
    places = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{places}f}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def limits(runs: Report, sizes: Report) -> str:
    """Every figure that has a limit."""
    rows = [
        _limited(report, name)
        for report in (runs, sizes)
        for name, row in report.rows.items()
        if row["limit"] is not None
    ]
    return _table(("what", "limit", "measured", "quartiles", ""), rows)


def _limited(report: Report, name: str) -> list[str]:
    row = report.rows[name]
    value, limit, ok = float(str(row["value"])), float(str(row["limit"])), bool(row["ok"])
    sign = "" if value == limit else "at least " if (value > limit) == ok else "at most "
    quartiles = [report.shown(f"{name}, {which}") for which in QUARTILES]
    spread = " to ".join(quartiles) if all(quartiles) else ""
    return [name, f"{sign}{limit:g}", f"{number(value)} {row['unit']}", spread, "" if ok else "**missed**"]


def compared(runs: Report) -> str:
    """Each variant's own figures, of which the ratios are made."""
    figures = [name.removesuffix(f", {VARIANTS[0]}") for name in runs.rows if name.endswith(f", {VARIANTS[0]}")]
    units = [f"{figure}, {runs.rows[f'{figure}, {VARIANTS[0]}']['unit']}" for figure in figures]
    rows = [
        [unit, *(runs.shown(f"{figure}, {name}") for name in VARIANTS)]
        for unit, figure in zip(units, figures, strict=True)
    ]
    return _table(("what", *VARIANTS), rows)


def grown(sizes: Report) -> str:
    """MB by turns."""
    turns = sorted({int(match[1]) for name in sizes.rows if (match := re.match(r"L(\d+), ", name))})
    left = [(name, "history") for name in SIZED] + [(name, "kept in Redis") for name in SIZED[1:]]
    rows = [[str(count), *(sizes.shown(f"L{count}, {name}, {what}") for name, what in left)] for count in turns]
    return _table(("turns", *(f"{name}: {what}, MB" for name, what in left)), rows)


def every(report: Report) -> str:
    """All figures, with the limit of those that have one."""
    rows = []
    for name, row in report.rows.items():
        if row["limit"] is None:
            rows.append([name, "", f"{report.shown(name)} {row['unit']}", ""])
        else:
            what, limit, measured, _, verdict = _limited(report, name)
            rows.append([what, limit, measured, verdict])
    return _table(("what", "limit", "measured", ""), rows)


def beside_peers(peers: Report) -> str:
    """Multiples of the floor, sizes and lengths; a row for each figure, a column for each peer."""
    figures: dict[str, dict[str, str]] = {}
    for name, row in peers.rows.items():
        if (split := _of_peer(name)) and row["unit"] not in ("ms", "runs/s"):
            figure, peer = split
            what = figure if row["unit"] in figure.split() else f"{figure}, {row['unit']}"
            figures.setdefault(what, {})[peer] = _beside(peers, name)
    rows = [[figure, *(cells.get(peer, "") for peer in PEERS)] for figure, cells in figures.items()]
    return _table(("what", *PEERS), rows)


def _of_peer(name: str) -> tuple[str, str] | None:
    """The figure and whose it is; nothing for quartiles."""
    plain = name.removesuffix(" to floor").partition(", then: ")[0]
    for peer in sorted(PEERS, key=len, reverse=True):
        before, found, after = plain.partition(f", {peer}")
        if found:
            return None if after.endswith(" quartile") or " to floor" in after else (before + after, peer)
    return None


def _beside(peers: Report, name: str) -> str:
    """A figure with its quartiles, and whether it misses its limit."""
    quartiles = [peers.shown(f"{name}, {which}") for which in QUARTILES]
    spread = f" ({' to '.join(quartiles)})" if all(quartiles) else ""
    return f"{peers.shown(name)}{spread}{'' if peers.rows[name]['ok'] else ' **behind**'}"


def where(report: Report) -> str:
    """The machine and the versions."""
    told, versions = report.context, report.context["versions"]
    if not isinstance(versions, dict):
        raise TypeError(f"expected versions by name, got {versions!r}")
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    load = float(str(told["load"]))
    return (
        f"{told['machine']}, {told['cores']} cores, load {load:.1f} before it began, Python {told['python']}, {listed};"
        f" commit {told['commit']}, {told['time']}."
    )


def tables() -> dict[str, str]:
    """By name."""
    runs, sizes, scale, peers = (Report.read(RESULTS / f"{name}.json") for name in ("runs", "sizes", "scale", "peers"))
    return {
        "limits": limits(runs, sizes),
        "compared": compared(runs),
        "grown": grown(sizes),
        "scale": every(scale),
        "where runs": where(runs),
        "where sizes": where(sizes),
        "where scale": where(scale),
        "peers": beside_peers(peers),
        "where peers": where(peers),
    }


def renewed(text: str) -> str:
    """The document with the tables of now."""
    for name, table in tables().items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if begin not in text or end not in text:
            raise ValueError(f"no place for the table {name!r}")
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{table}\n{end}{rest.partition(end)[2]}"
    return text


def main() -> None:
    DOCUMENT.write_text(renewed(DOCUMENT.read_text()))


if __name__ == "__main__":
    main()
