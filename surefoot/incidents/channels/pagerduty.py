"""PagerDuty, by its Events API v2.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ and
https://github.com/PagerDuty/api-schema (reference/events-v2/openapiv3.json): 202 is success, 400 is for good, 429 and
5xx are to be tried again; a trigger whose key is open already adds to that alert and pages nobody anew. A summary has
1,024 characters at most, a dedup key 255, an event 512 kB.
"""

from datetime import timedelta

import httpx2

from surefoot.contracts.base import JsonObject
from surefoot.contracts.oncall import Notice, Notification
from surefoot.incidents.channels.http import TIMEOUT, Mailbox
from surefoot.incidents.channels.words import cleaned, command, dedup_key, fitted, status

SUMMARY = 1_024
KEY = 255
SEVERITIES = {1: "critical", 2: "error", 3: "warning", 4: "info", 5: "info"}
"""By default PagerDuty calls people for the first two, and only writes to them for the others."""
CLIENT = "Surefoot"


class PagerDuty:
    """Opens, acknowledges and resolves one alert an incident."""

    def __init__(self, key: str, url: str, client: httpx2.AsyncClient, timeout: timedelta = TIMEOUT) -> None:
        self._key = key
        self._url = f"{url.rstrip('/')}/v2/enqueue"
        self._mailbox = Mailbox(
            "pagerduty", client, settings="PAGERDUTY_ROUTING_KEY and PAGERDUTY_API_URL", secrets=[key], timeout=timeout
        )

    async def send(self, notification: Notification) -> str:
        """The alert's key in PagerDuty."""
        body = {"routing_key": self._key, **event(notification)}
        answer = await self._mailbox.post(self._url, body)
        return str(answer.get("dedup_key") or body["dedup_key"])


def event(notification: Notification) -> JsonObject:
    """The event without its routing key."""
    key = dedup_key(notification.incident_id, KEY)
    if notification.notice is not Notice.TRIGGER:
        return {"event_action": notification.notice.value, "dedup_key": key}
    words = cleaned(notification)
    described: JsonObject = {
        "event_action": Notice.TRIGGER.value,
        "dedup_key": key,
        "client": CLIENT,
        "payload": _payload(words),
        "links": [{"href": link.url, "text": link.text} for link in words.links],
    }
    return described | ({"client_url": words.links[0].url} if words.links else {})


def _payload(words: Notification) -> JsonObject:
    payload: JsonObject = {
        "summary": fitted(words.title, SUMMARY),
        "source": words.subject or CLIENT,
        "severity": SEVERITIES[words.severity],
        "timestamp": words.opened_at.isoformat(),
        "component": words.subject,
        "group": words.tenant,
        "class": words.kind,
        "custom_details": _details(words),
    }
    return {name: value for name, value in payload.items() if value}


def _details(words: Notification) -> JsonObject:
    return {
        "what": words.summary,
        "why": status(words),
        "occurrences": words.occurrences,
        "first": [f"{one.title}: {one.command}" for one in words.instructions],
        "more": command(words),
    }
