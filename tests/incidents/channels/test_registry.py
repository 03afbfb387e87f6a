"""Channels that cannot be used are refused at start, without showing what is wrong with a secret."""

import pytest

from surefoot.errors import InvalidInput
from surefoot.incidents.channels.registry import channels
from surefoot.settings import Settings
from tests.incidents.channels.notices import set_up


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PAGERDUTY_ROUTING_KEY", "hunter2 hunter2"),
        ("OPSGENIE_API_KEY", "hunter2\r\nX-Other: 1"),
        ("OPSGENIE_API_KEY", "hunter2ü"),
        ("APPRISE_URLS", "hunter2://host"),
    ],
)
async def test_what_cannot_be_a_secret_is_refused_by_name(variable: str, value: str, settings: Settings) -> None:
    with pytest.raises(InvalidInput, match=variable) as caught:
        channels(set_up(settings, **{variable: value}))
    assert "hunter2" not in str(caught.value)


async def test_a_signing_secret_that_is_not_base64_is_refused(settings: Settings) -> None:
    given = set_up(settings, INCIDENT_WEBHOOK_URL="http://127.0.0.1:1/", INCIDENT_WEBHOOK_SECRET="whsec_hunter2!")
    with pytest.raises(InvalidInput, match="INCIDENT_WEBHOOK_SECRET") as caught:
        channels(given)
    assert "hunter2" not in str(caught.value)


async def test_a_key_of_blanks_is_no_key(settings: Settings) -> None:
    found = channels(set_up(settings, PAGERDUTY_ROUTING_KEY="  ", APPRISE_URLS=" "))
    await found.aclose()
    assert found == {}
