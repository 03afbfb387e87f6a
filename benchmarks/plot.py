"""Draws how histories grow, from ``benchmarks/results/sizes.json`` into ``docs/history-bytes.png`` and ``.svg``.

Needs matplotlib, and nothing else beyond the standard library.
"""

import json
import re
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "sizes.json"
PLOT = ROOT / "docs" / "history-bytes"
LOOKS = {
    "floor": ("#b5473c", "o", "floor: the whole conversation in each model call"),
    "surefoot": ("#1f5fa8", "s", "surefoot"),
    "surefoot, payloads out of line": ("#3f9650", "^", "surefoot, payloads from 2 KiB on out of line"),
}
MOST = 50
"""MB of history that Temporal allows."""

Lines = dict[str, dict[float, float]]


def lines(path: Path = RESULTS) -> Lines:
    """MB of history by number of turns that were made, for each variant."""
    values: dict[str, float] = {row["name"]: row["value"] for row in json.loads(path.read_text())["results"]}
    found: Lines = defaultdict(dict)
    for name, size in values.items():
        if match := re.fullmatch(r"(L(\d+), (.+)), history", name):
            done = values.get(f"{match[1]}, tool calls done", int(match[2]))
            found[match[3]][done] = size
    return found


def drawn(found: Lines) -> Figure:
    """All of them on the left; on the right those that need another scale to be seen."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    whole, close = figure.subplots(1, 2)
    for name, (colour, mark, label) in LOOKS.items():
        for axes in (whole, close) if name != "floor" else (whole,):
            axes.plot(found[name].keys(), found[name].values(), color=colour, marker=mark, label=label)
    whole.axhline(MOST, color="#888888", linestyle="--", linewidth=1)
    whole.text(2, MOST + 0.5, "Temporal ends a run here", va="bottom", color="#666666", fontsize=8)
    _labelled(whole, "History of a run, 5 KB a turn")
    _labelled(close, "The same, closer")
    return figure


def _labelled(axes: Axes, title: str) -> None:
    axes.set(title=title, xlabel="turns", ylabel="MB", xlim=0, ylim=0)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0, 0.9))
    axes.grid(alpha=0.25)


def main() -> None:
    mpl.rcParams["svg.hashsalt"] = PLOT.name  # the same figures give the same file
    figure = drawn(lines())
    figure.savefig(PLOT.with_suffix(".png"), dpi=150, metadata={"Software": None})
    figure.savefig(PLOT.with_suffix(".svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
