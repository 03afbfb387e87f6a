"""What goes wrong at a channel is told apart, and no error shows a key or an address that is one."""

import traceback
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from surefoot.contracts.oncall import Notice
from surefoot.embedded.ports import free_port
from surefoot.errors import DeliveryFailure, Fault
from surefoot.incidents.channels.http import LONGEST_WAIT
from surefoot.incidents.channels.registry import Channels, channels
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.faults import FaultKind
from surefoot.simulator.sinks import keys
from tests.incidents.channels.notices import NAMES, notification, set_up
from tests.tools.rude_server import answers, rude_server

WRONG = {
    "PAGERDUTY_ROUTING_KEY": "wrong-key-wrong-key-wrong-key-00",
    "OPSGENIE_API_KEY": "wrong-genie-key",
    "INCIDENT_WEBHOOK_SECRET": "wrong-signing-key",
}
SECRETS = (*keys.SLACK.split("/"), keys.PAGERDUTY, keys.OPSGENIE, keys.WEBHOOK, *WRONG.values())


@pytest.fixture
async def hasty(settings: Settings, simulator: SimulatorClient) -> AsyncIterator[Channels]:
    """The channels, with little patience."""
    found = channels(set_up(settings, **simulator.channel_variables), timedelta(seconds=1))
    yield found
    await found.aclose()


async def failure_of(found: Channels, channel: str) -> DeliveryFailure:
    """How it fails, with nothing in it that is a secret."""
    with pytest.raises(DeliveryFailure) as caught:
        await found[channel].send(notification(channel))
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert [secret for secret in SECRETS if secret in shown] == []
    assert str(caught.value).startswith(channel)
    return caught.value


@pytest.mark.parametrize("channel", NAMES)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
async def test_a_refusal_is_for_good_and_says_what_to_check(
    channel: str, status: int, hasty: Channels, simulator: SimulatorClient
) -> None:
    await simulator.fault(channel, FaultKind.STATUS, status=status)
    failure = await failure_of(hasty, channel)
    assert (failure.fault, failure.status, failure.retry_after) == (Fault.PERMANENT, status, None)
    assert f"answered {status}" in str(failure)
    assert "; check " in str(failure)


@pytest.mark.parametrize("channel", NAMES)
@pytest.mark.parametrize(("status", "wait"), [(429, 7), (429, None), (500, None), (503, 3)])
async def test_an_overload_is_tried_again_when_the_receiver_says(
    channel: str, status: int, wait: int | None, hasty: Channels, simulator: SimulatorClient
) -> None:
    waits = None if wait is None else timedelta(seconds=wait)
    await simulator.fault(channel, FaultKind.STATUS, status=status, retry_after=waits)
    failure = await failure_of(hasty, channel)
    assert (failure.fault, failure.status, failure.retry_after) == (Fault.RETRYABLE, status, waits)


async def test_a_wait_that_nobody_could_bear_is_shortened(hasty: Channels, simulator: SimulatorClient) -> None:
    await simulator.fault("pagerduty", FaultKind.STATUS, status=503, retry_after=timedelta(days=1))
    failure = await failure_of(hasty, "pagerduty")
    assert failure.retry_after == LONGEST_WAIT


@pytest.mark.parametrize("channel", NAMES)
@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.RESET, FaultKind.APPLY_THEN_LOSE])
async def test_silence_is_tried_again(
    channel: str, kind: FaultKind, hasty: Channels, simulator: SimulatorClient
) -> None:
    await simulator.fault(channel, kind, count=1)
    failure = await failure_of(hasty, channel)
    assert (failure.fault, failure.status) == (Fault.RETRYABLE, None)
    await hasty[channel].send(notification(channel))
    assert len(await simulator.alerts(channel)) == 1


@pytest.mark.parametrize("channel", NAMES)
@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.STALL, FaultKind.MALFORMED])
async def test_a_yes_counts_whatever_becomes_of_its_words(
    channel: str, kind: FaultKind, hasty: Channels, simulator: SimulatorClient
) -> None:
    await simulator.fault(channel, kind, count=1)
    await hasty[channel].send(notification(channel))
    assert len(await simulator.sunk(channel)) == 1


@pytest.mark.parametrize("channel", ["pagerduty", "opsgenie", "webhook"])
async def test_a_wrong_key_is_for_good_although_it_is_echoed(
    channel: str, settings: Settings, simulator: SimulatorClient
) -> None:
    found = channels(set_up(settings, **{**simulator.channel_variables, **WRONG}))
    failure = await failure_of(found, channel)
    await found.aclose()
    assert failure.fault is Fault.PERMANENT
    assert await simulator.alerts() == []


async def test_a_wrong_slack_address_is_for_good(settings: Settings, simulator: SimulatorClient) -> None:
    given = {**simulator.channel_variables, "SLACK_WEBHOOK_URL": f"{simulator.url}/slack/services/T1/B1/no-such-token"}
    found = channels(set_up(settings, **given))
    failure = await failure_of(found, "slack")
    await found.aclose()
    assert (failure.fault, failure.status) == (Fault.PERMANENT, 403)
    assert "invalid_token" in str(failure)
    assert "no-such-token" not in str(failure)


def elsewhere(url: str, simulator: SimulatorClient) -> dict[str, str]:
    """The channels' variables with another server in each address."""
    origin = simulator.url.partition("/w/")[0]
    return {name: value.replace(origin, url) for name, value in simulator.channel_variables.items()}


@pytest.mark.parametrize("channel", NAMES)
async def test_nobody_there_is_tried_again(channel: str, settings: Settings, simulator: SimulatorClient) -> None:
    found = channels(set_up(settings, **elsewhere(f"http://127.0.0.1:{free_port()}", simulator)))
    failure = await failure_of(found, channel)
    await found.aclose()
    assert failure.fault is Fault.RETRYABLE
    assert "cannot be reached at 127.0.0.1" in str(failure)


@pytest.mark.parametrize("channel", NAMES)
async def test_a_redirect_is_not_followed(channel: str, settings: Settings, simulator: SimulatorClient) -> None:
    async with rude_server(answers(307, headers={"Location": simulator.sink_url("trap")})) as server:
        found = channels(set_up(settings, **elsewhere(server.url, simulator)))
        failure = await failure_of(found, channel)
        await found.aclose()
    assert (failure.fault, failure.status) == (Fault.PERMANENT, 307)
    assert await simulator.sunk("trap") == []


async def test_one_channels_silence_is_not_anothers(hasty: Channels, simulator: SimulatorClient) -> None:
    await simulator.fault("pagerduty", FaultKind.HANG, operation="trigger")
    await failure_of(hasty, "pagerduty")
    await hasty["slack"].send(notification("slack"))
    await hasty["pagerduty"].send(notification("pagerduty", Notice.RESOLVE))
    assert [call.status for call in await simulator.calls("pagerduty")] == [None, 202]
