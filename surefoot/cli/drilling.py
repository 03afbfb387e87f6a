"""Playing drills, and telling what they found."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pydantic import JsonValue

from surefoot.cli.exits import ExitCode
from surefoot.cli.hosting import hosted
from surefoot.cli.output import Answer, Part, console, remark, show, table, tell, words
from surefoot.contracts.incidents import IncidentKind
from surefoot.drill import drill
from surefoot.drill.score import Score
from surefoot.drill.stories import STORIES
from surefoot.embedded.python import starter

HEADINGS = ("kind", "severity", "detected", "paged", "acknowledged", "resolved", "how", "runbook")
LEGEND = (
    "detected: from the first failure to the incident; paged and acknowledged: from the incident; "
    "resolved: from the mending of the cause; runbook: how complete it is"
)
ALL = "all"


def play(kind: str, *, as_json: bool, keep: bool) -> int:
    """Returns the exit code: 0 only if every step of every drill did what it says."""
    wanted = {one: STORIES[one] for one in IncidentKind if kind in (ALL, one)}

    def told(scores: Sequence[Score], folder: Path) -> None:
        tell(answer(scores), as_json=as_json)
        if keep:
            for line in ("Staying up. In another terminal:", *starter(folder), "./starter.py incidents list"):
                show(console(stderr=True), remark(line))

    def host() -> int:
        scores = drill(wanted, say=_say, tell=told, keep=keep)
        if scores is None:
            print("Interrupted; all that was started has ended.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        return answer(scores).code

    return hosted(host, as_json=as_json)


def _say(step: str) -> None:
    """Progress is for whoever watches."""
    if sys.stderr.isatty():
        show(console(stderr=True), remark(step))


def answer(scores: Sequence[Score]) -> Answer:
    """What the drills found, and whether all of it is as it should be."""
    broken = [score for score in scores if score.broken]
    document: JsonValue = {"drills": [_document(score) for score in scores], "broken": len(broken)}
    return Answer(document, [*_shown(scores, broken)], [remark(LEGEND)], ExitCode.FAILED if broken else ExitCode.DONE)


def _shown(scores: Sequence[Score], broken: Sequence[Score]) -> list[Part]:
    failures: list[Part] = [words(f"✗ {score.kind}: {score.broken}") for score in broken]
    whole = len(scores) - len(broken)
    return [
        table(HEADINGS, map(_row, scores), empty="no drills"),
        *failures,
        words(f"{whole} of {len(scores)} as told."),
    ]


def _row(score: Score) -> tuple[object, ...]:
    lengths = (score.detected, score.paged, score.acknowledged, score.resolved)
    rated = None if score.completeness is None else f"{score.completeness:.2f}"
    severity = score.severity.name if score.severity else None
    return (score.kind, severity, *map(_seconds, lengths), score.how or None, rated)


def _seconds(length: timedelta | None) -> str | None:
    return None if length is None else f"{length.total_seconds():.2f} s"


def _document(score: Score) -> JsonValue:
    lengths = {
        "detectedSeconds": score.detected,
        "pagedSeconds": score.paged,
        "acknowledgedSeconds": score.acknowledged,
        "resolvedSeconds": score.resolved,
    }
    return {
        "kind": score.kind,
        "incident": score.incident,
        "severity": score.severity.name if score.severity else None,
        **{name: None if length is None else round(length.total_seconds(), 3) for name, length in lengths.items()},
        "how": score.how,
        "why": score.why,
        "occurrences": score.occurrences,
        "channels": [*score.channels],
        "completeness": score.completeness,
        "broken": score.broken or None,
    }
