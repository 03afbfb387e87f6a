"""How complete a runbook is: what each section must hold, and what no section may hold."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from surefoot.contracts.incidents import Completeness, ComposeRequest, Evidence, IncidentReport
from surefoot.incidents.anatomy import TITLE, Part, parts
from surefoot.incidents.markdown import moment, plain
from surefoot.incidents.redaction import redact

THRESHOLD = 0.8
"""The least score of a runbook that is good enough."""
PROBLEMS = 30
"""Problems that are named."""

Refusal = Callable[[str], str | None]
"""Why a command cannot be run as it stands; None where it can."""
Known = frozenset[str]
"""What tells this incident from others: names, ids, numbers and times."""


@dataclass(frozen=True)
class Demand:
    """Something that a section must hold, and what is said where it does not."""

    otherwise: str
    met: Callable[[Part, Known], bool]


@dataclass(frozen=True)
class Section:
    """Earns its weight by the share of its demands that are met."""

    name: str
    weight: int
    demands: tuple[Demand, ...]


def _words(least: int) -> Demand:
    return Demand(f"has fewer than {least} words of its own", lambda part, known: len(part.words) >= least)


def _commands(least: int) -> Demand:
    return Demand(f"has fewer than {least} commands", lambda part, known: len(part.commands) >= least)


def _items(least: int) -> Demand:
    return Demand(f"lists fewer than {least} points", lambda part, known: part.items >= least)


def _says(pattern: str, otherwise: str) -> Demand:
    wanted = re.compile(pattern, re.S)
    return Demand(otherwise, lambda part, known: bool(wanted.search(part.prose)))


def _labelled(label: str, otherwise: str) -> Demand:
    """A line of four words at least after the label."""
    wanted = re.compile(rf"^{label}\b(.*)$", re.M)
    return Demand(otherwise, lambda part, known: any(len(Part(one).words) >= 4 for one in wanted.findall(part.prose)))


def _tells_of_it(part: Part, known: Known) -> bool:
    return any(fact in part.everything for fact in known)


def _has_number(part: Part, known: Known) -> bool:
    said = re.sub(r"^SEV\d", "", part.prose) + " ".join(part.spans)
    return any(character.isdigit() for character in said)


NUMBER = Demand("has no number", _has_number)
STEPS = Demand("has no numbered steps", lambda part, known: part.numbered >= 3)
TEXTS = Demand("has not a message for each audience and phase", lambda part, known: len(set(part.texts)) >= 12)
FACT = Demand("names no fact of this incident", _tells_of_it)

SECTIONS: tuple[Section, ...] = (
    Section(TITLE, 8, (FACT, _says(r"^SEV[1-5]: .*\S", "has no severity"), NUMBER)),
    Section("Severity", 6, (_words(6), _says(r"SEV[1-5] because \w+", "does not say why"))),
    Section("Impact", 8, (_words(8), FACT)),
    Section("Is it real", 6, (_words(8),)),
    Section("The first five minutes", 14, (_commands(3), STEPS, FACT)),
    Section("Diagnosis", 10, (_words(12), FACT)),
    Section(
        "Mitigation",
        16,
        (
            _words(12),
            FACT,
            _labelled("Check", "has no check"),
            _labelled("Stop", "has no stop condition"),
        ),
    ),
    Section("Escalation", 10, (_says(r"\d[\d.]* minutes?\b", "has no minutes"), _words(5))),
    Section("Messages", 8, (TEXTS, FACT)),
    Section("Dependencies", 4, (_items(2), FACT)),
    Section("Health checks", 4, (_commands(2), _words(4))),
    Section("Timeline", 2, (_items(1),)),
    Section("After the incident", 4, (_items(2), _words(12))),
)
"""Weights add up to a hundred."""

_HOLES = re.compile(
    r"\{\{|\}\}|\{%|%\}|\b(?:TODO|TBD|TBA|XXX|FIXME)\b|[Ll]orem ipsum"
    r"|<[A-Za-z][\w .-]{0,40}>|\[(?:your|insert|placeholder)\b"
)
_NOTHING = re.compile(r"\b(?:None|undefined|NaN|nan|null)\b")
_EMPTY_VALUES = frozenset({"None", "undefined", "NaN", "nan", "null"})
_WHOLE_HOLE = re.compile(r"<[\w .-]{1,40}>|\{\{.{0,80}\}\}|\{%.{0,80}%\}|TODO|TBD|XXX|FIXME")
_SAME = 0.4
"""The least share of different words in a text of twenty or more that is no filler."""


def graded(markdown: str, request: ComposeRequest, evidence: Evidence, refusal: Refusal | None = None) -> Completeness:
    """Score a runbook between 0 and 1, and name what is missing or wrong. ``refusal`` knows the command line."""
    found, known = parts(markdown), _known(request.incident_id, request.report)
    earned, problems = 0.0, []
    told = json.dumps([request.model_dump(), evidence.model_dump()], ensure_ascii=False, default=str)
    lint = _lint(found, told, refusal or shape)
    for section in SECTIONS:
        part = found.get(section.name, Part())
        wrong = lint.get(section.name, [])
        unmet = [demand.otherwise for demand in section.demands if not demand.met(part, known)]
        if section.name not in found:
            unmet = ["is missing"]
        elif not wrong:
            earned += section.weight * (1 - len(unmet) / len(section.demands))
        problems += [f"{section.name}: {problem}" for problem in (*wrong, *unmet)]
    return Completeness(score=round(earned / sum(one.weight for one in SECTIONS), 3), problems=_first(problems))


def _first(problems: list[str]) -> tuple[str, ...]:
    left = len(problems) - PROBLEMS
    return (*problems[:PROBLEMS], f"and {left} more") if left > 0 else tuple(problems)


def _lint(found: dict[str, Part], foreign: str, refusal: Refusal) -> dict[str, list[str]]:
    """What is wrong with each section, whatever it holds beside it."""
    said, wrong = set[str](), {}
    for heading, part in found.items():
        wrong[heading] = [*_holes(part, foreign), *_filler(part, said), *_refused(part, refusal)]
        said |= set(part.sentences)
    return wrong


def _holes(part: Part, foreign: str) -> Iterator[str]:
    """What a template left open. Foreign text is in code, where only what it does not hold counts."""
    for hole in dict.fromkeys(_HOLES.findall(part.prose)):
        yield f"{hole!r} is not filled in"
    for nothing in dict.fromkeys(_NOTHING.findall(part.prose)):
        yield f"{nothing!r} stands for a value"
    for span in dict.fromkeys(part.spans):
        if span in _EMPTY_VALUES and f'"{span}"' not in foreign:
            yield f"{span!r} stands for a value"
        elif _WHOLE_HOLE.fullmatch(span) and span not in foreign:
            yield f"{span!r} is not filled in"


def _filler(part: Part, said: set[str]) -> Iterator[str]:
    repeated = [one for one in part.sentences if one in said] + _twice(part.sentences)
    if repeated:
        yield f"repeats {plain(repeated[0], 80)!r}"
    words = [word.lower() for word in part.words]
    if len(words) >= 20 and len(set(words[:200])) < _SAME * len(words[:200]):
        yield "says the same words over and over"


def _twice(sentences: list[str]) -> list[str]:
    return [one for at, one in enumerate(sentences) if one in sentences[:at]]


def _refused(part: Part, refusal: Refusal) -> Iterator[str]:
    for command in part.commands:
        why = shape(command) or refusal(command)
        if why:
            yield f"{plain(command, 80)!r} does not parse: {plain(why, 120)}"


def shape(command: str) -> str | None:
    """Why a text is not one command of ``./starter.py`` on one line, quoted as a shell wants it."""
    if "\n" in command:
        return "it is more than one line"
    try:
        words = shlex.split(command)
    except ValueError as error:
        return str(error)
    if not words or words[0] != "./starter.py" or len(words) < 2:
        return "it is no command of ./starter.py"
    if any(_WHOLE_HOLE.fullmatch(word) for word in command.split()):
        return "a word of it is not filled in"
    bare = shlex.shlex(command, posix=True, punctuation_chars=True)
    bare.whitespace_split, bare.commenters = True, ""
    operators = [token for token in bare if token and not set(token) - set("();<>|&")]
    return f"{operators[0]!r} is not quoted" if operators else None


def _known(incident_id: str, report: IncidentReport) -> Known:
    facts = [value for value in report.facts.values() if isinstance(value, str)]
    subject = report.subject.partition(":")[2]
    texts = (incident_id, report.run_id, report.subject, subject, *facts)
    shown = {form(text)[:40].rstrip() for text in texts for form in (_as_name, _as_code)}
    return frozenset({one for one in shown if len(one) >= 3} | {str(moment(report.at))})


def _as_name(text: str) -> str:
    return plain(text, 1000).replace("`", "'")


def _as_code(text: str) -> str:
    return plain(redact(text[:6400]), 400).replace("`", "'")
