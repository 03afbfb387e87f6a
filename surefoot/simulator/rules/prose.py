"""Words without tools: summaries, reports of a wanted length, short answers."""

import hashlib
import re

from surefoot.simulator.reply import Reply
from surefoot.simulator.rules.directives import without_directives
from surefoot.simulator.rules.telling import quote
from surefoot.simulator.situation import Situation

LONGEST_REPORT = 100_000
DEFAULT_SUMMARY = 50
_LENGTH = r"([\d,.]*\d)[ -]words?\b"
_SUBJECT = r"\b(?:on|about)\s+(.+?)(?=\s+in\s+[\d,.]+[ -]words?|[.;!?\n]|$)"
_SENTENCES = (
    "{subject} matters more each year to those who depend on it.",
    "Those who know {subject} best disagree about where it will lead.",
    "The first attempts at {subject} were small and mostly forgotten.",
    "What is measured about {subject} is not always what counts.",
    "A second look at {subject} shows how much was taken for granted.",
    "In practice {subject} is held back by habit rather than by cost.",
    "Much of {subject} can be explained by who pays for it.",
    "The next step for {subject} is to try it where failure is cheap.",
)


def summarise(situation: Situation) -> Reply | None:
    """The leading words of a given text, or words on a topic, as many as asked for."""
    if not situation.match(r"\bsummar[iy]"):
        return None
    words = _length(situation) or DEFAULT_SUMMARY
    _, colon, text = without_directives(situation.request).partition(":")
    if colon and text.strip():
        return Reply(text=f"In short: {' '.join(text.split()[:words])}")
    return Reply(text=prose(_subject(situation), words))


def report(situation: Situation) -> Reply | None:
    """A text of the length that the prompt asks for."""
    words = _length(situation)
    return Reply(text=prose(_subject(situation), words)) if words else None


def answer(situation: Situation) -> Reply:
    """A short answer that quotes the prompt."""
    asked = quote(without_directives(situation.request)) or "nothing"
    number = int(hashlib.sha256(asked.encode()).hexdigest()[:4], 16)
    return Reply(text=f"You said: “{asked}” My answer to this is number {number}.")


def prose(subject: str, words: int) -> str:
    """As many words on a subject, the same each time."""
    said: list[str] = []
    start = int(hashlib.sha256(subject.encode()).hexdigest()[:4], 16)
    step = 0
    while len(said) < words:
        said += _SENTENCES[(start + step) % len(_SENTENCES)].format(subject=subject).split()
        step += 1
    return re.sub(r"[.,]?$", ".", " ".join(said[:words]))


def _length(situation: Situation) -> int | None:
    match = situation.match(_LENGTH)
    return min(int(re.sub(r"\D", "", match.group(1))), LONGEST_REPORT) if match else None


def _subject(situation: Situation) -> str:
    match = re.search(_SUBJECT, without_directives(situation.request), re.IGNORECASE)
    return match.group(1).strip()[:80] if match else "this matter"
