"""A webhook of one's own: each notice as JSON, in Surefoot's form or Alertmanager's, signed."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

import httpx2

from surefoot.contracts.base import JsonObject
from surefoot.contracts.oncall import Notice, Notification
from surefoot.incidents.channels.alertmanager import alertmanager
from surefoot.incidents.channels.http import TIMEOUT, Mailbox, encoded
from surefoot.incidents.channels.signing import signed
from surefoot.incidents.channels.words import cleaned, command, dedup_key

Form: TypeAlias = Callable[[Notification, datetime], JsonObject]

TYPES = {
    Notice.TRIGGER: "incident.triggered",
    Notice.ACKNOWLEDGE: "incident.acknowledged",
    Notice.RESOLVE: "incident.resolved",
}
KEY = 1_024
SHORTEST_WORD = 8
"""A part of the address that may be a secret."""


class Webhook:
    """Posts to one address. A receiver tells a message that is sent again by its ``webhook-id``."""

    def __init__(
        self,
        url: str,
        key: bytes | None,
        form: Literal["surefoot", "alertmanager"],
        client: httpx2.AsyncClient,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        """Without a key messages go unsigned."""
        self._url, self._key = url, key
        self._form: Form = alertmanager if form == "alertmanager" else own
        self._mailbox = Mailbox(
            "webhook",
            client,
            settings="INCIDENT_WEBHOOK_URL and INCIDENT_WEBHOOK_SECRET",
            secrets=[*_private(httpx2.URL(url)), *([key.decode(errors="ignore")] if key else [])],
            timeout=timeout,
        )

    async def send(self, notification: Notification) -> str:
        """The message's ``webhook-id``."""
        now = datetime.now(UTC)
        words = cleaned(notification)
        digest = hashlib.sha256(words.model_dump_json().encode()).hexdigest()
        id, body = f"msg_{digest[:32]}", encoded(self._form(words, now))
        await self._mailbox.post(self._url, body, signed(self._key, id, now, body))
        return id


def own(words: Notification, at: datetime) -> JsonObject:
    """The notification itself, as ``type``, ``timestamp`` and ``data``; ``data.incident_id`` is the dedup key."""
    data: JsonObject = words.model_dump(mode="json", exclude={"channel"})
    data |= {"incident_id": dedup_key(words.incident_id, KEY), "command": command(words)}
    return {"type": TYPES[words.notice], "timestamp": at.isoformat(), "data": data}


def _private(url: httpx2.URL) -> list[str]:
    """What of the address may be a secret: all of it, its user, and its longer words."""
    words = [*url.path.split("/"), *(value for _, value in url.params.multi_items())]
    return [str(url), url.password, url.query.decode(), *(word for word in words if len(word) >= SHORTEST_WORD)]
