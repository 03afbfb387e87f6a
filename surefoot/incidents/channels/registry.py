"""Which channels there are, by the settings."""

from datetime import timedelta

import httpx2
from pydantic import AnyHttpUrl, SecretStr, TypeAdapter

from surefoot.errors import InvalidInput
from surefoot.incidents.channels.apprise import Apprise
from surefoot.incidents.channels.http import TIMEOUT
from surefoot.incidents.channels.opsgenie import Opsgenie
from surefoot.incidents.channels.pagerduty import PagerDuty
from surefoot.incidents.channels.signing import key_of
from surefoot.incidents.channels.slack import Slack
from surefoot.incidents.channels.webhook import Webhook
from surefoot.ports import ChannelPort
from surefoot.settings import Settings
from surefoot.tls import trusted

VARIABLES = {
    "pagerduty": "PAGERDUTY_ROUTING_KEY",
    "opsgenie": "OPSGENIE_API_KEY",
    "slack": "SLACK_WEBHOOK_URL",
    "webhook": "INCIDENT_WEBHOOK_URL",
    "apprise": "APPRISE_URLS",
}
"""What to set for each channel."""
CONNECTIONS = httpx2.Limits(max_connections=None, max_keepalive_connections=5, keepalive_expiry=2)


class Channels(dict[str, ChannelPort]):
    """The channels by name. ``aclose`` them in the end."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        super().__init__()
        self._client = client

    async def aclose(self) -> None:
        """End connections and threads."""
        for channel in self.values():
            if isinstance(channel, Apprise):
                await channel.aclose()
        await self._client.aclose()


def channels(settings: Settings, timeout: timedelta = TIMEOUT) -> Channels:
    """Those whose variable is set; ``timeout`` is for one attempt over HTTP.

    Raises ``InvalidInput`` for what cannot be used, without showing it.
    """
    # The environment is the settings' alone: no proxies from it.
    client = httpx2.AsyncClient(verify=trusted(), trust_env=False, limits=CONNECTIONS)
    found = Channels(client)
    if key := _key(settings.pagerduty_key, VARIABLES["pagerduty"]):
        found["pagerduty"] = PagerDuty(key, str(settings.pagerduty_url), client, timeout)
    if key := _key(settings.opsgenie_key, VARIABLES["opsgenie"]):
        found["opsgenie"] = Opsgenie(key, str(settings.opsgenie_url), client, timeout)
    if settings.slack_webhook:
        found["slack"] = Slack(address_of(settings.slack_webhook), client, timeout)
    if settings.incident_webhook:
        secret = _stripped(settings.incident_webhook_secret)
        address, form = address_of(settings.incident_webhook), settings.incident_webhook_format
        found["webhook"] = Webhook(address, key_of(secret) if secret else None, form, client, timeout)
    if urls := _stripped(settings.apprise_urls):
        found["apprise"] = Apprise(urls)
    return found


def _stripped(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret else ""


def _key(secret: SecretStr | None, variable: str) -> str:
    """The key as it goes into a header or a body; refused if it could break one, and show there."""
    key = _stripped(secret)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise InvalidInput(f"{variable} holds characters that no key has")
    return key


def address_of(secret: SecretStr) -> str:
    """The address in ASCII."""
    return str(TypeAdapter(AnyHttpUrl).validate_python(secret.get_secret_value()))
