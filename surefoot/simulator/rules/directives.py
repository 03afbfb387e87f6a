"""Directives for tests, written into the prompt as ``[[name …]]`` and obeyed in order, one a turn.

``[[call tool {json}]]`` one call · ``[[parallel a {json} b {json}]]`` several at once · ``[[loop tool {json}]]`` the
same call for ever · ``[[malformed tool]]`` arguments that cannot be parsed · ``[[unknown]]`` a tool that does not
exist · ``[[empty]]`` an answer without words · ``[[block]]`` the safety filter · ``[[say words]]`` these words.
Anywhere, also in what tools answer: ``[[fact words]]`` is what a summary keeps.
Not turns but adjectives of every turn: ``[[think]]`` thinks first, ``[[cached]]`` finds half of the prompt cached.
"""

import json
import re
from dataclasses import dataclass

from surefoot.contracts.base import JsonObject
from surefoot.simulator.reply import Reply, Wish
from surefoot.simulator.rules.telling import tell
from surefoot.simulator.situation import Situation

ADJECTIVES = frozenset({"think", "cached"})
UNKNOWN_TOOL = "divine_the_future"
_START = re.compile(r"\[\[\s*(call|parallel|loop|malformed|unknown|empty|block|say|think|cached)\b\s*")
_WORD = re.compile(r"\s*([A-Za-z_][\w-]*)\s*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Directive:
    name: str
    calls: tuple[Wish, ...] = ()
    words: str = ""

    def reply(self) -> Reply:
        return Reply(text=self.words, calls=self.calls, blocked=self.name == "block")


def obey(situation: Situation) -> Reply | None:
    """The directive whose turn it is; after the last one, what came of them all."""
    steps = [directive for directive in read_directives(situation.request) if directive.name not in ADJECTIVES]
    if not steps:
        return None
    loop = next((index for index, step in enumerate(steps) if step.name == "loop"), len(steps))
    turn = min(situation.rounds, loop)
    return steps[turn].reply() if turn < len(steps) else Reply(text=f"Done. {tell(situation)}".strip())


def has_directive(text: str, name: str) -> bool:
    return any(directive.name == name for directive in read_directives(text))


def without_directives(text: str) -> str:
    """The words around the directives."""
    words, position = "", 0
    for start, end, _ in _spans(text):
        words += text[position:start]
        position = end
    return (words + text[position:]).strip()


def read_directives(text: str) -> list[Directive]:
    return [directive for _, _, directive in _spans(text)]


def _spans(text: str) -> list[tuple[int, int, Directive]]:
    spans, position = [], 0
    while match := _START.search(text, position):
        position, directive = _read(text, match.end(), match.group(1))
        spans.append((match.start(), position, directive))
    return spans


def _read(text: str, position: int, name: str) -> tuple[int, Directive]:
    """Read the rest of one directive; the end after its closing brackets."""
    if name == "say":
        end = _closing(text, position)
        return end + 2, Directive(name, words=text[position:end].strip())
    calls: list[Wish] = []
    while match := _WORD.match(text, position):
        arguments, position = _arguments(text, match.end())
        malformed = '{"unfinished": ' if name == "malformed" else None
        calls.append(Wish(match.group(1), arguments, malformed))
    if name == "unknown" and not calls:
        calls = [Wish(UNKNOWN_TOOL, {})]
    return _closing(text, position) + 2, Directive(name, tuple(calls))


def _arguments(text: str, position: int) -> tuple[JsonObject, int]:
    if not text.startswith("{", position):
        return {}, position
    value, end = _DECODER.raw_decode(text, position)
    return value, end


def _closing(text: str, position: int) -> int:
    end = text.find("]]", position)
    return len(text) if end < 0 else end
