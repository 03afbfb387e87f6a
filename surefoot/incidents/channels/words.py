"""Makes what a notification says fit to be shown: one line each, redacted, short, with links that can be followed."""

import hashlib
from collections.abc import Iterable

from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

from surefoot.contracts.oncall import Instruction, Link, Notice, Notification
from surefoot.incidents.markdown import clean, plain, shell

LIMITS = {"kind": 100, "title": 300, "summary": 2_000, "why": 1_000, "subject": 200, "tenant": 200, "reason": 2_000}
"""Characters of each text, whatever more a channel would take."""
LONGEST_NAME = 255
LONGEST_COMMAND = 1_000
LONGEST_ADDRESS = 1_000
MOST = 10
"""Instructions, and links."""

_ADDRESS = TypeAdapter(AnyHttpUrl)
_HEADS = {Notice.TRIGGER: "SEV{0}", Notice.ACKNOWLEDGE: "Acknowledged", Notice.RESOLVE: "Resolved"}


def cleaned(notification: Notification) -> Notification:
    """The same with texts that are safe to show: no control character, no secret, no megabyte, no odd link.

    Names of people, and commands, are not redacted: a command that is not as printed could do harm, so one that is
    too long or not printable is left out whole. The incident's id stays as it is.
    """
    texts: dict[str, object] = {
        name: clean(text, limit) for name, limit in LIMITS.items() if (text := getattr(notification, name)) is not None
    }
    names = {
        name: plain(text, LONGEST_NAME) for name in ("who", "by") if (text := getattr(notification, name)) is not None
    }
    shown = {
        "title": texts["title"] or f"Incident {plain(notification.incident_id, LIMITS['title'])}",
        "links": tuple(link for given in notification.links[:MOST] if (link := _usable(given))),
        "instructions": tuple(one for given in notification.instructions[:MOST] if (one := _runnable(given))),
    }
    return notification.model_copy(update={**texts, **names, **shown})


def _usable(link: Link) -> Link | None:
    """The link with an address in ASCII; None if it is not of the web, or holds a password."""
    if len(link.url) > LONGEST_ADDRESS:
        return None
    try:
        address = _ADDRESS.validate_python(link.url)
    except ValidationError:
        return None
    url = str(address).replace("|", "%7C")
    if address.password or len(url) > LONGEST_ADDRESS:
        return None
    return Link(text=clean(link.text, 100) or "link", url=url)


def _runnable(instruction: Instruction) -> Instruction | None:
    command = instruction.command.strip()
    if not command or len(command) > LONGEST_COMMAND or not command.isprintable():
        return None
    return Instruction(title=clean(instruction.title, 200), command=command)


def fitted(text: str, limit: int) -> str:
    """At most ``limit`` characters, as ``length`` counts; what is cut ends with an ellipsis."""
    if length(text) <= limit:
        return text
    return text.encode("utf-16-le", "replace")[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


def dedup_key(incident_id: str, limit: int) -> str:
    """The incident's id where it fits and can be printed, else its beginning with a digest: always the same one."""
    if incident_id.isascii() and incident_id.isprintable() and len(incident_id) <= limit:
        return incident_id
    digest = hashlib.sha256(incident_id.encode("utf-8", "surrogatepass")).hexdigest()
    begin = "".join(c for c in incident_id if c.isascii() and c.isprintable())
    return f"{begin[: limit - len(digest) - 1]}-{digest}"


def headline(words: Notification) -> str:
    """What it is about in one line: the severity, or what became of it, and the title."""
    return f"{_HEADS[words.notice].format(words.severity)}: {words.title}"


def status(words: Notification) -> str:
    """Why it is sent, in one sentence."""
    if words.notice is Notice.TRIGGER:
        again = f", round {words.round + 1}" if words.round else ""
        return f"For {words.who} (level {words.level + 1}{again}). SEV{words.severity}: {words.why}"
    done = "Acknowledged" if words.notice is Notice.ACKNOWLEDGE else "Resolved"
    return f"{done}{f' by {words.by}' if words.by else ''}{f': {words.reason}' if words.reason else ''}"


def command(words: Notification) -> str:
    """Shows all of the incident, or of the incidents where its id is too long to be typed."""
    one = f"./starter.py incidents show {shell(words.incident_id)}"
    return one if len(one) <= LONGEST_COMMAND else "./starter.py incidents list"


def report(words: Notification, limit: int) -> str:
    """The message as lines of plain text. Lines that do not fit are left out whole, and it says where they are."""
    met = f"Met {words.occurrences} times." if words.occurrences > 1 else ""
    lines = [line for line in (words.title, words.summary, status(words), met) if line]
    lines += [f"{link.text}: {link.url}" for link in words.links]
    if words.notice is Notice.TRIGGER:
        lines += [f"{one.title}:\n    {one.command}" for one in words.instructions]
    end = f"More: {command(words)}"
    kept = within(lines, limit - length(end) - len("…\n"))
    cut = ["…"] if len(kept) < len(lines) else []
    return "\n".join([*kept, *cut, end])


def within(lines: Iterable[str], limit: int) -> list[str]:
    """The first lines that together, with an end of line each, have at most ``limit`` characters."""
    kept = []
    for line in lines:
        limit -= length(line) + 1
        if limit < 0:
            break
        kept.append(line)
    return kept


def length(text: str) -> int:
    """Characters as Java and JavaScript count them, in UTF-16."""
    return len(text.encode("utf-16-le", "replace")) // 2
