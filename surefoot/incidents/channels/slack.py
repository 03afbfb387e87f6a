"""Slack, by an incoming webhook, in Block Kit.

https://docs.slack.dev/reference/block-kit/blocks: a header has 150 characters of plain text, a section 3,000 and ten
fields of 2,000, a message 50 blocks, a block id 255. https://docs.slack.dev/messaging/formatting-message-text: ``&``,
``<`` and ``>`` are escaped in every text, so that no mention or link is forged; what is foreign is plain text, in
which asterisks and colons mean nothing. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks:
200 is success; 400, 403, 404 and 410 are for good. Slack keeps no dedup key: each notice is a message of its own.
"""

from datetime import timedelta

import httpx2
from pydantic import JsonValue

from surefoot.contracts.base import JsonObject
from surefoot.contracts.oncall import Instruction, Notice, Notification
from surefoot.incidents.channels.http import TIMEOUT, Mailbox
from surefoot.incidents.channels.words import cleaned, command, dedup_key, headline, length, status, within

HEADER, SECTION, FIELD, BLOCK_ID, FALLBACK = 150, 3_000, 2_000, 255, 3_000
_CONTROL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Slack:
    """Writes each notice into one channel. The address is a secret."""

    def __init__(self, url: str, client: httpx2.AsyncClient, timeout: timedelta = TIMEOUT) -> None:
        self._url = url
        path = httpx2.URL(url).path
        secrets = [url, path, *(part for part in path.split("/") if len(part) > 8)]
        self._mailbox = Mailbox("slack", client, settings="SLACK_WEBHOOK_URL", secrets=secrets, timeout=timeout)

    async def send(self, notification: Notification) -> str:
        """Slack has no name for the message."""
        await self._mailbox.post(self._url, message(cleaned(notification)))
        return ""


def message(words: Notification) -> JsonObject:
    """The blocks, and a text for where they cannot be shown. The header's block id carries the notice and the key."""
    mark = f"{words.notice}:"
    blocks: list[JsonValue] = [
        {
            "type": "header",
            "block_id": mark + dedup_key(words.incident_id, BLOCK_ID - len(mark)),
            "text": _plain(headline(words), HEADER),
        },
        {"type": "section", "text": _plain(status(words), SECTION)},
    ]
    if words.notice is Notice.TRIGGER:
        blocks += _described(words)
    blocks += _pointers(words)
    return {
        "text": escaped(f"{headline(words)}. {status(words)}", FALLBACK),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _described(words: Notification) -> list[JsonValue]:
    fields: list[tuple[str, str]] = [
        ("Kind", words.kind),
        ("Subject", words.subject),
        ("Tenant", words.tenant),
        ("Occurrences", str(words.occurrences)),
    ]
    shown: list[JsonValue] = [_plain(f"{name}: {text}", FIELD) for name, text in fields if text]
    sections: list[JsonValue] = [{"type": "section", "fields": shown}]
    if words.summary:
        sections.insert(0, {"type": "section", "text": _plain(words.summary, SECTION)})
    return sections + [section for one in words.instructions for section in _command(one)]


def _command(instruction: Instruction) -> list[JsonValue]:
    """A command to copy, under its title; nothing where it could not be copied as it is."""
    code = f"```{_escape(instruction.command)}```"
    if "`" in instruction.command or length(code) > SECTION:
        return []
    return [
        {"type": "section", "text": _plain(instruction.title or "Run", SECTION)},
        {"type": "section", "text": _markup(code)},
    ]


def _pointers(words: Notification) -> list[JsonValue]:
    """The command that shows everything, and links: as many as fit."""
    pieces = [f"More: {_escape(command(words))}"]
    pieces += [f"<{_escape(link.url)}|{_escape(link.text)}>" for link in words.links]
    lines = within(pieces, SECTION)
    return [{"type": "section", "text": _markup("\n".join(lines))}] if lines else []


def _plain(text: str, limit: int) -> JsonObject:
    return {"type": "plain_text", "text": escaped(text, limit), "emoji": False}


def _markup(text: str) -> JsonObject:
    # Verbatim, or Slack would look for channels and people in it.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def escaped(text: str, limit: int) -> str:
    """Escaped, and at most ``limit`` characters after that, of which no entity is half."""
    whole = _escape(text)
    if length(whole) <= limit:
        return whole
    kept, room = "", limit - len("…")
    for piece in map(_escape, text):
        room -= length(piece)
        if room < 0:
            break
        kept += piece
    return f"{kept}…"


def _escape(text: str) -> str:
    return text.translate(_CONTROL)
