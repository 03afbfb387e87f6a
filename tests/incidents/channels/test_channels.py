"""Each channel against a sink that takes what the real one would, and nothing else."""

from typing import Any

import pytest

from surefoot.contracts.oncall import Notice
from surefoot.incidents.channels.registry import Channels, channels
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.sinks.alerts import AlertState
from tests.incidents.channels.notices import NAMES, RUN, notification, set_up

LIFE = (Notice.TRIGGER, Notice.TRIGGER, Notice.ACKNOWLEDGE, Notice.RESOLVE)


async def bodies(simulator: SimulatorClient, sink: str) -> list[Any]:
    return [sunk.body for sunk in await simulator.sunk(sink)]


@pytest.mark.parametrize("channel", NAMES)
async def test_an_incident_is_one_page_and_one_resolve(
    channel: str, sinks: Channels, simulator: SimulatorClient
) -> None:
    for level, notice in enumerate(LIFE):
        await sinks[channel].send(notification(channel, notice, level=level))
    (alert,) = await simulator.alerts(channel)
    assert (alert.state, alert.count) == (AlertState.RESOLVED, 2)
    assert len(await simulator.sunk(channel)) == len(LIFE)


@pytest.mark.parametrize("channel", NAMES)
async def test_a_message_that_is_sent_again_opens_nothing_new(
    channel: str, sinks: Channels, simulator: SimulatorClient
) -> None:
    first, again = [await sinks[channel].send(notification(channel)) for _ in range(2)]
    assert len(await simulator.alerts(channel)) == 1
    assert first == again or channel == "opsgenie"  # which gives each request an id of its own


@pytest.mark.parametrize("channel", NAMES)
@pytest.mark.parametrize(
    "incident_id", ["incident-run_failed-a/b?c#d%e&<f>-1", f"incident-{'x' * 900}", "incidënt \U0001f525"]
)
async def test_any_incident_id_finds_its_alert_again(
    channel: str, incident_id: str, sinks: Channels, simulator: SimulatorClient
) -> None:
    await sinks[channel].send(notification(channel, incident_id=f"{incident_id}-other"))
    await sinks[channel].send(notification(channel, incident_id=incident_id))
    await sinks[channel].send(notification(channel, Notice.RESOLVE, incident_id=incident_id))
    other, resolved = await simulator.alerts(channel)
    assert other.state is AlertState.TRIGGERED
    assert resolved.state is AlertState.RESOLVED


async def test_pagerduty_is_told_what_where_how_bad_and_what_to_do(sinks: Channels, simulator: SimulatorClient) -> None:
    assert await sinks["pagerduty"].send(notification()) == notification().incident_id
    (event,) = await bodies(simulator, "pagerduty")
    payload = event["payload"]
    assert (payload["summary"], payload["severity"]) == ("Breaker create_order opened", "error")
    assert (payload["source"], payload["group"], payload["class"]) == ("create_order", "acme", "breaker_open")
    assert payload["custom_details"]["first"][0] == "See the breakers: ./starter.py breakers"
    assert event["links"] == [{"href": RUN, "text": "The run"}]


@pytest.mark.parametrize(
    ("severity", "pagerduty", "opsgenie"),
    [(1, "critical", "P1"), (2, "error", "P2"), (3, "warning", "P3"), (4, "info", "P4"), (5, "info", "P5")],
)
async def test_a_severity_keeps_its_rank(
    severity: int, pagerduty: str, opsgenie: str, sinks: Channels, simulator: SimulatorClient
) -> None:
    for channel in ("pagerduty", "opsgenie"):
        await sinks[channel].send(notification(channel, severity=severity))
    assert [alert.severity for alert in await simulator.alerts()] == [pagerduty, opsgenie]


async def test_opsgenie_is_told_who_acknowledged_and_why(sinks: Channels, simulator: SimulatorClient) -> None:
    await sinks["opsgenie"].send(notification("opsgenie", Notice.ACKNOWLEDGE))
    (body,) = await bodies(simulator, "opsgenie")
    assert body["user"] == "alice@example.com"
    assert body["note"] == "Acknowledged by alice@example.com: the shop is back"


async def test_slack_shows_commands_to_copy_and_links_to_follow(sinks: Channels, simulator: SimulatorClient) -> None:
    await sinks["slack"].send(notification("slack"))
    (body,) = await bodies(simulator, "slack")
    texts = [block["text"]["text"] for block in body["blocks"] if "text" in block]
    assert texts[0] == "SEV2: Breaker create_order opened"
    assert "```./starter.py breakers reset 'create_order' --by \"$USER\"```" in texts
    assert texts[-1].endswith(f"<{RUN.replace('&', '&amp;')}|The run>")
    assert body["text"].startswith("SEV2: Breaker create_order opened")


async def test_alertmanagers_form_fires_and_resolves_one_alert(settings: Settings, simulator: SimulatorClient) -> None:
    given = set_up(settings, **simulator.channel_variables, INCIDENT_WEBHOOK_FORMAT="alertmanager")
    found = channels(given)
    for notice in Notice:
        await found["webhook"].send(notification("webhook", notice))
    await found.aclose()
    fired, acknowledged, resolved = await bodies(simulator, "webhook")
    assert [body["status"] for body in (fired, acknowledged, resolved)] == ["firing", "firing", "resolved"]
    assert fired["commonLabels"] == resolved["commonLabels"]
    assert fired["commonLabels"]["severity"] == "critical"
    assert fired["alerts"][0]["fingerprint"] == resolved["alerts"][0]["fingerprint"]
    assert acknowledged["commonAnnotations"]["acknowledged_by"] == "alice@example.com"
    (alert,) = await simulator.alerts("webhook")
    assert alert.state is AlertState.RESOLVED


async def test_an_address_may_lie_below_a_path_as_jira_service_managements_does(
    settings: Settings, simulator: SimulatorClient
) -> None:
    given = set_up(settings, **simulator.channel_variables)
    assert str(given.opsgenie_url).endswith("/opsgenie")
    found = channels(given.model_copy(update={"opsgenie_url": f"{given.opsgenie_url}/"}))
    await found["opsgenie"].send(notification("opsgenie"))
    await found.aclose()
    assert len(await simulator.alerts("opsgenie")) == 1


async def test_only_what_is_set_is_a_channel(settings: Settings) -> None:
    found = channels(settings)
    await found.aclose()
    assert found == {}
