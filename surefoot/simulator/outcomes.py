"""What a tool message means: done, failed, rejected by a human, or unknown."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

_UNKNOWN = re.compile(
    r"\bnot known whether\b|\b(outcome|result)\b.{0,40}\bunknown\b|\bunknown (outcome|result)\b|may or may not",
    re.IGNORECASE | re.DOTALL,
)
_REJECTED = re.compile(r"\breject(ed|s|ion)?\b|\bturned down\b|\bnot approved\b", re.IGNORECASE)
_FAILED = re.compile(
    r"\b(unavailable|fail(ed|s|ure)?|errors?|refus(ed|es|al)|invalid|not found|no such|could not|cannot|expired"
    r"|no tool|not called|not made|not a JSON object|try again|tried again|timed out|malformed)\b",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"(?:at |after |until |from )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?\s?(?:Z\b|UTC\b|[+-]\d\d:\d\d)?"
    r"|(?:at |after |until |from )\d{1,2}:\d\d(?::\d\d)?(?:\s?UTC\b)?"
    r"|in (?:about )?\d+(?:\.\d+)?\s?(?:s|sec|seconds?|m|min|minutes?|h|hours?)\b",
    re.IGNORECASE,
)
_FEEDBACK = re.compile(r"feedback\W+(.+)|because\W+(.+)|reject\w*[^:]*:\s*(.+)", re.IGNORECASE | re.DOTALL)


class Kind(StrEnum):
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """A tool message, understood. ``value`` is its JSON, or its text where it is none."""

    kind: Kind
    text: str
    value: JsonValue

    @property
    def succeeded(self) -> bool:
        return self.kind is Kind.DONE

    @property
    def when(self) -> str | None:
        """The time to try again, in the words of the message."""
        found = _WHEN.search(self.text)
        return found.group().strip() if found else None

    @property
    def feedback(self) -> str:
        """What the human who rejected it said."""
        found = _FEEDBACK.search(self.text)
        words = next((group for group in found.groups() if group), "") if found else self.text
        return words.strip(" \n.\"'")


def read_outcome(content: str) -> Outcome:
    """Understand a tool message. What is JSON and names no error is a result; the rest goes by its words."""
    try:
        value: JsonValue = json.loads(content)
    except ValueError:
        return Outcome(_kind_of(content), content, content)
    if isinstance(value, dict) and (value.get("error") or value.get("outcome") == "unknown"):
        kind = _kind_of(content)
        return Outcome(Kind.FAILED if kind is Kind.DONE else kind, content, value)
    if isinstance(value, str):
        return Outcome(_kind_of(value), value, value)
    return Outcome(Kind.DONE, content, value)


def _kind_of(text: str) -> Kind:
    for kind, pattern in ((Kind.UNKNOWN, _UNKNOWN), (Kind.REJECTED, _REJECTED), (Kind.FAILED, _FAILED)):
        if pattern.search(text):
            return kind
    return Kind.DONE
