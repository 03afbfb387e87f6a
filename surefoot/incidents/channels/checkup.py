"""Looks at the channels without telling anybody anything, or with one message that says that it is a test."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

import httpx2
from pydantic import SecretStr

from surefoot.contracts.oncall import ChannelName, Notice, Notification
from surefoot.errors import DeliveryFailure, InvalidInput
from surefoot.incidents.channels.opsgenie import Opsgenie
from surefoot.incidents.channels.registry import VARIABLES, address_of, channels
from surefoot.ports import ChannelPort
from surefoot.settings import Settings
from surefoot.tls import trusted

NAMES: tuple[ChannelName, ...] = get_args(ChannelName)
PATIENCE = timedelta(seconds=3)
"""For a connection."""
UNASKED = "the rest was not checked, since asking would tell people; `doctor --send-test-notification` does"
UNSIGNED = "set INCIDENT_WEBHOOK_SECRET, so that the receiver knows who sent it"


@dataclass(frozen=True)
class Checked:
    """What is known of one channel: whether it will deliver, and what to do about it."""

    channel: str
    fact: str
    works: bool = True
    remedy: str = ""


async def check(settings: Settings, *, send: bool = False) -> list[Checked]:
    """Every channel that is set. People are told something only if ``send``: a test of the lowest severity."""
    try:
        found = channels(settings)
    except InvalidInput as error:
        return [Checked("channels", str(error), works=False)]
    try:
        return [await _tried(name, found[name], settings, send=send) for name in NAMES if name in found]
    finally:
        await found.aclose()


async def _tried(name: ChannelName, port: ChannelPort, settings: Settings, *, send: bool) -> Checked:
    try:
        if send:
            return await _told(name, port)
        if isinstance(port, Opsgenie):
            await port.check()
            return Checked(name, f"answers and takes {VARIABLES[name]}; nobody was told")
    except DeliveryFailure as failure:
        return Checked(name, str(failure), works=False)
    return await _reached(name, settings)


async def _told(name: ChannelName, port: ChannelPort) -> Checked:
    incident = f"surefoot-doctor-{uuid.uuid4()}"
    for notice in (Notice.TRIGGER, Notice.RESOLVE):
        await port.send(_test(name, notice, incident))
    return Checked(name, "took a test notification and its resolution")


def _test(name: ChannelName, notice: Notice, incident: str) -> Notification:
    return Notification(
        channel=name,
        notice=notice,
        incident_id=incident,
        kind="test",
        severity=5,
        why="it is a test",
        subject="surefoot doctor",
        tenant="default",
        title="Test notification by surefoot doctor: nothing is wrong",
        summary="Somebody ran `./starter.py doctor --send-test-notification`. It resolves itself at once.",
        who="whoever reads this",
        opened_at=datetime.now(UTC),
        reason="the test is over",
    )


async def _reached(name: ChannelName, settings: Settings) -> Checked:
    """Whether somebody is at the address, and speaks TLS there."""
    address = _addresses(settings).get(name)
    if address is None:
        return Checked(name, f"{VARIABLES[name]} can be read; {UNASKED}")
    try:
        await _connected(address)
    except (OSError, TimeoutError) as error:
        why = str(error) or f"no answer within {PATIENCE.total_seconds():g} s"
        return Checked(name, f"{address.host} cannot be reached: {why}", works=False, remedy="check the address")
    signed = name != "webhook" or settings.incident_webhook_secret
    return Checked(name, f"{address.host} can be reached; {UNASKED}", remedy="" if signed else UNSIGNED)


async def _connected(address: httpx2.URL) -> None:
    tls = trusted() if address.scheme == "https" else None
    port = address.port or (443 if tls else 80)
    async with asyncio.timeout(PATIENCE.total_seconds()):
        _, writer = await asyncio.open_connection(address.host, port, ssl=tls)
    writer.close()


def _addresses(settings: Settings) -> dict[ChannelName, httpx2.URL]:
    def of(secret: SecretStr | None) -> httpx2.URL:
        return httpx2.URL(address_of(secret) if secret else "")

    return {
        "pagerduty": httpx2.URL(str(settings.pagerduty_url)),
        "slack": of(settings.slack_webhook),
        "webhook": of(settings.incident_webhook),
    }
