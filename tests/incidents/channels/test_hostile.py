"""Texts from outside: whatever they hold, every sink takes the message, and nothing is forged or given away."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from surefoot.contracts.oncall import Instruction, Link, Notice, Notification
from surefoot.incidents.channels.registry import Channels, channels
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.incidents.channels.notices import NAMES, notification, set_up

PIECES = (
    "\0", "\x1b[31m", "\r\n", "\u202e", "\u2028", "<!channel>", "<@U0001>", "<https://evil.example|Slack>", "&amp;",
    "&", "<", ">", "```", "*", "{{ 7 * 7 }}", "{% for %}", "${HOME}", "</pre><script>", "\U0001f525",
    "\U0001f469\u200d\U0001f680", "\\", '"', "'", "%s", "]]>", "word ",
)  # fmt: skip
WORDS = st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=8).map("".join)
LENGTHS = st.sampled_from([1, 1, 1, 40, 3_000])
TEXTS = st.builds(lambda words, times: words * times, WORDS, LENGTHS)
ADDRESSES = TEXTS | TEXTS.map("https://links.example/{}".format)
NOTICES = st.fixed_dictionaries(
    {
        **dict.fromkeys(("kind", "why", "subject", "tenant", "title", "summary", "who", "by", "reason"), TEXTS),
        "incident_id": WORDS.filter(bool),
        "severity": st.integers(1, 5),
        "occurrences": st.integers(1, 10**9),
        "instructions": st.lists(st.builds(Instruction, title=TEXTS, command=TEXTS), max_size=12).map(tuple),
        "links": st.lists(st.builds(Link, text=TEXTS, url=ADDRESSES), max_size=12).map(tuple),
    }
)
MEGABYTE = "<!channel> \U0001f525&\0" * 70_000
SECRET = "sk-live-0123456789abcdef"


@effort(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(NOTICES, st.sampled_from(Notice))
async def test_no_text_breaks_a_message(
    sinks: Channels, simulator: SimulatorClient, texts: dict[str, object], notice: Notice
) -> None:
    for channel in NAMES:
        await sinks[channel].send(notification(channel, notice, **texts))


def megabytes(channel: str, notice: Notice) -> Notification:
    texts = ("kind", "why", "subject", "tenant", "title", "summary", "who", "by", "reason")
    one = Instruction(title=MEGABYTE, command="x" * 1_000_000)
    many = tuple(Link(text=MEGABYTE, url=f"https://links.example/{'&' * 900}/{n}") for n in range(100))
    return notification(
        channel, notice, **dict.fromkeys(texts, MEGABYTE), instructions=(one,) * 20, links=many, incident_id=MEGABYTE
    )


@pytest.mark.parametrize("notice", list(Notice))
@pytest.mark.parametrize("channel", NAMES)
async def test_megabytes_become_a_short_message(
    channel: str, notice: Notice, sinks: Channels, simulator: SimulatorClient
) -> None:
    await sinks[channel].send(megabytes(channel, notice))
    (sunk,) = await simulator.sunk(channel)
    assert len(json.dumps(sunk.body)) < 200_000


async def test_megabytes_fit_alertmanagers_form(settings: Settings, simulator: SimulatorClient) -> None:
    given = set_up(settings, **simulator.channel_variables, INCIDENT_WEBHOOK_FORMAT="alertmanager")
    found = channels(given)
    await found["webhook"].send(megabytes("webhook", Notice.TRIGGER))
    await found.aclose()
    assert len(await simulator.alerts("webhook")) == 1


@pytest.mark.parametrize("channel", NAMES)
async def test_what_is_cut_says_so_and_where_the_rest_is(
    channel: str, sinks: Channels, simulator: SimulatorClient
) -> None:
    await sinks[channel].send(notification(channel, title="t" * 5_000, summary="s" * 50_000))
    (sunk,) = await simulator.sunk(channel)
    text = json.dumps(sunk.body, ensure_ascii=False)
    assert "…" in text
    assert "https://temporal.example/" in text
    assert "./starter.py incidents show" in text


@pytest.mark.parametrize("channel", NAMES)
async def test_secrets_in_texts_do_not_leave(channel: str, sinks: Channels, simulator: SimulatorClient) -> None:
    texts = dict.fromkeys(
        ("why", "subject", "tenant", "title", "summary", "reason"), f"key {SECRET} of bob@example.com"
    )
    links = (Link(text=SECRET, url="https://links.example/"), Link(text="x", url=f"https://u:{SECRET}@links.example/"))
    for notice in Notice:
        await sinks[channel].send(notification(channel, notice, links=links, **texts))
    told = json.dumps([sunk.body for sunk in await simulator.sunk(channel)])
    assert SECRET not in told
    assert "bob@example.com" not in told


async def test_slack_mentions_nobody(sinks: Channels, simulator: SimulatorClient) -> None:
    await sinks["slack"].send(notification("slack", title="<!channel> <@U1> @here", summary="<!everyone|x> & more"))
    (sunk,) = await simulator.sunk("slack")
    told = json.dumps(sunk.body)
    assert "&lt;!channel&gt; &lt;@U1&gt;" in told
    assert "<!" not in told
    assert "<@" not in told


@pytest.mark.parametrize("channel", NAMES)
async def test_a_command_is_sent_as_it_is_or_not_at_all(
    channel: str, sinks: Channels, simulator: SimulatorClient
) -> None:
    commands = ["./starter.py retry 'a&b<c>'", f"./starter.py retry {'x' * 2_000}", "rm -rf /\nreboot", "echo \x1b[0m"]
    await sinks[channel].send(
        notification(channel, instructions=tuple(Instruction(title="do", command=one) for one in commands))
    )
    (sunk,) = await simulator.sunk(channel)
    told = json.dumps(sunk.body)
    assert "./starter.py retry 'a&b<c>'" in told or "./starter.py retry 'a&amp;b&lt;c&gt;'" in told
    assert "xxxx" not in told
    assert "reboot" not in told
    assert "echo" not in told
