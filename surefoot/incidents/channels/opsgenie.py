"""Opsgenie and Jira Service Management, by the Alert API.

https://docs.opsgenie.com/docs/alert-api: message 130 characters, alias 512, description 15,000, twenty tags of 50,
details 8,000 in all, entity 512, source and user 100, note 25,000; 202 is success, and what follows happens later.
An alias that is open already counts one up. Opsgenie itself ends on 5 April 2027; Jira Service Management takes the
same at https://api.atlassian.com/jsm/ops/integration
(https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events), the identifier's
type included (https://jira.atlassian.com/browse/JSDCLOUD-14179). Who responds is for the integration's team to say.
"""

from datetime import timedelta
from urllib.parse import quote

import httpx2

from surefoot.contracts.base import JsonObject
from surefoot.contracts.oncall import Notice, Notification
from surefoot.errors import DeliveryFailure
from surefoot.incidents.channels.http import TIMEOUT, Mailbox
from surefoot.incidents.channels.words import cleaned, dedup_key, fitted, headline, report, status

MESSAGE, ALIAS, DESCRIPTION, TAG, ENTITY, USER, NOTE = 130, 512, 15_000, 50, 512, 100, 25_000
SOURCE = "Surefoot"
NOBODYS_REQUEST = "00000000-0000-0000-0000-000000000000"
_ACTIONS = {Notice.ACKNOWLEDGE: "acknowledge", Notice.RESOLVE: "close"}


class Opsgenie:
    """Opens, acknowledges and closes one alert an incident."""

    def __init__(self, key: str, url: str, client: httpx2.AsyncClient, timeout: timedelta = TIMEOUT) -> None:
        self._url = f"{url.rstrip('/')}/v2/alerts"
        self._headers = {"Authorization": f"GenieKey {key}"}
        self._mailbox = Mailbox(
            "opsgenie", client, settings="OPSGENIE_API_KEY and OPSGENIE_API_URL", secrets=[key], timeout=timeout
        )

    async def send(self, notification: Notification) -> str:
        """The id of the request, by which Opsgenie tells later what became of it."""
        words, key = cleaned(notification), dedup_key(notification.incident_id, ALIAS)
        if notification.notice is Notice.TRIGGER:
            answer = await self._mailbox.post(self._url, {"alias": key, **alert(words)}, self._headers)
        else:
            url = f"{self._url}/{quote(key, safe='')}/{_ACTIONS[words.notice]}?identifierType=alias"
            answer = await self._mailbox.post(url, action(words), self._headers)
        return str(answer.get("requestId") or key)

    async def check(self) -> None:
        """Ask for a request that there is not: nobody is told, and a wrong key is refused all the same.

        Raises ``DeliveryFailure`` for anything but an answer that shows a good key.
        """
        try:
            await self._mailbox.get(f"{self._url}/requests/{NOBODYS_REQUEST}", self._headers)
        except DeliveryFailure as failure:
            if failure.status != httpx2.codes.NOT_FOUND:
                raise


def alert(words: Notification) -> JsonObject:
    """A new alert, without its alias."""
    return {
        "message": fitted(headline(words), MESSAGE),
        "description": report(words, DESCRIPTION),
        "priority": f"P{words.severity}",
        "tags": [fitted(tag, TAG) for tag in ("surefoot", words.kind, f"sev{words.severity}", words.tenant) if tag],
        "entity": fitted(words.subject, ENTITY),
        "source": SOURCE,
        "details": {
            "incident": fitted(words.incident_id, ALIAS) if words.incident_id.isprintable() else "",
            "tenant": words.tenant,
            "subject": words.subject,
            "who": words.who,
            "why": words.why,
            "opened at": words.opened_at.isoformat(),
            "occurrences": str(words.occurrences),
        },
    }


def action(words: Notification) -> JsonObject:
    """Who did it, and why."""
    return {"user": fitted(words.by or SOURCE, USER), "source": SOURCE, "note": fitted(status(words), NOTE)}
