"""Writes what comes from outside into Markdown so that it stays text: it forges no heading, link or command."""

import re
import shlex
from datetime import UTC, datetime, timedelta

from surefoot.incidents.redaction import redact

LONGEST = 400
"""Characters of one foreign text."""

_ADDRESS = re.compile(r"https?://[A-Za-z0-9\[][!#-;=?-_a-z~]{0,2000}")
_QUOTED = "\\'"


def plain(text: str, limit: int = LONGEST) -> str:
    """One line of printable characters, at most ``limit``: what is cut is said. Long texts are cut before scanning."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return line if len(line) <= limit and len(text) <= 4 * limit else f"{line[:limit]} …"


def clean(text: str, limit: int = LONGEST) -> str:
    """The same, redacted first, so that no half of a secret is left by the cut."""
    return plain(redact(text[: 16 * limit]), limit)


class Written(str):
    """Text that is safe in Markdown as it stands. Any operation on it gives a plain string, to be escaped anew."""

    __slots__ = ()


def code(text: str, limit: int = LONGEST) -> Written:
    """Foreign text as a code span, in which Markdown and HTML mean nothing; redacted."""
    return _span(clean(text, limit))


def name(text: str) -> Written:
    """An id or name as a code span, in full and not redacted, so that it can be searched for."""
    return _span(plain(text, 1000))


def _span(line: str) -> Written:
    # A backtick inside could close the span, so it becomes an apostrophe.
    return Written(f"`{line.replace('`', chr(39)) or '(empty)'}`")


def link(address: str) -> Written:
    """An address as a link where a browser can go there, else as a code span."""
    return Written(f"<{address}>") if _ADDRESS.fullmatch(address) else code(address)


def shell(text: str) -> str:
    """The text as one shell word on one line, so that a command can be pasted as printed."""
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(c if c.isprintable() and c not in _QUOTED else f'{chr(92)}U{ord(c):08x}' for c in text)}'"


def moment(at: datetime) -> Written:
    """A time as text, in UTC."""
    return Written(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


def span(length: timedelta) -> str:
    """A length of time in the unit that suits it."""
    seconds = length.total_seconds()
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
