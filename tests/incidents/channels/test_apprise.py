"""Mail and the rest through apprise, here by its plain JSON service."""

import sys
import traceback
from datetime import timedelta
from typing import Any

import pytest

from surefoot.contracts.oncall import Notice
from surefoot.errors import DeliveryFailure, Fault, InvalidInput
from surefoot.incidents.channels.apprise import Apprise
from surefoot.incidents.channels.registry import channels
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.faults import FaultKind
from tests.incidents.channels.notices import notification, set_up

TOKEN = "hunter2-hunter2"


def url(simulator: SimulatorClient, name: str) -> str:
    return f"json://user:{TOKEN}@{simulator.sink_url(name).removeprefix('http://')}"


async def test_every_service_is_told_in_plain_text(settings: Settings, simulator: SimulatorClient) -> None:
    found = channels(set_up(settings, APPRISE_URLS=f"{url(simulator, 'mail-1')}, {url(simulator, 'mail-2')}"))
    for notice in Notice:
        await found["apprise"].send(notification("apprise", notice, summary="<b>5 of 5</b> {{ failed }}\0"))
    await found.aclose()
    for name in ("mail-1", "mail-2"):
        bodies: list[Any] = [sunk.body for sunk in await simulator.sunk(name)]
        assert [body["type"] for body in bodies] == ["failure", "info", "success"]
        assert bodies[0]["title"] == "SEV2: Breaker create_order opened"
        assert "<b>5 of 5</b> {{ failed }}" in bodies[0]["message"]
        assert "./starter.py breakers reset 'create_order' --by \"$USER\"" in bodies[0]["message"]
        assert "Resolved by alice@example.com: the shop is back" in bodies[2]["message"]


async def failure_of(channel: Apprise) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        await channel.send(notification("apprise"))
    await channel.aclose()
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    return caught.value


async def test_a_service_that_refuses_is_named_by_its_place(simulator: SimulatorClient) -> None:
    await simulator.fault("mail-2", FaultKind.STATUS, status=401)
    failure = await failure_of(Apprise(f"{url(simulator, 'mail-1')} {url(simulator, 'mail-2')}"))
    assert failure.fault is Fault.RETRYABLE
    assert "service 2 (" in str(failure)
    assert "401" in str(failure)
    assert "service 1" not in str(failure)
    assert len(await simulator.sunk("mail-1")) == 1


async def test_a_service_that_hangs_is_given_up(simulator: SimulatorClient) -> None:
    await simulator.fault("mail-1", FaultKind.HANG_THEN_APPLY, seconds=timedelta(seconds=1))
    failure = await failure_of(Apprise(url(simulator, "mail-1"), timedelta(milliseconds=100)))
    assert "no answer within 0.1 s" in str(failure)


async def test_without_apprise_it_says_what_to_install(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(InvalidInput, match=r"pip install 'surefoot\[apprise\]'"):
        channels(set_up(settings, APPRISE_URLS="json://localhost"))
    found = channels(settings)
    await found.aclose()
    assert found == {}
