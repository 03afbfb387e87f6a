"""Side effects from the command line: looked up, and settled when nobody knows whether they happened."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from surefoot.contracts.breakers import BreakerPolicy, Verdict
from surefoot.ports import Fate, Proceed, Replay
from surefoot.reliability.guards import RedisGuards
from surefoot.settings import Settings
from tests.cli.conftest import Typed

WHY = ("--by", "ann", "--reason", "looked it up at the shop")
KEY = "ab12" * 16
LEASE = timedelta(seconds=5)


@pytest.fixture
async def guards(settings: Settings) -> AsyncIterator[RedisGuards]:
    found = RedisGuards.connect(
        settings.redis_url.get_secret_value(), prefix=settings.key_prefix, timeout=timedelta(seconds=2)
    )
    yield found
    await found.close()


async def begun(guards: RedisGuards, owner: str) -> object:
    return await guards.begin_tool_call(
        tool="send_email",
        breaker=BreakerPolicy(),
        effect_key=KEY,
        owner=owner,
        attempt=1,
        lease=LEASE,
        mark_sent=True,
        lands_within=timedelta(),
    )


@pytest.fixture
async def unknown(guards: RedisGuards) -> str:
    """The key of an effect that was sent, and of which no answer came."""
    entry = await begun(guards, "run/1")
    assert isinstance(entry, Proceed)
    await guards.fail_tool_call(entry.claim, entry.permit, Verdict.FAILURE, None, fate=Fate.UNKNOWN)
    return KEY


async def test_a_claim_is_shown_with_its_state_and_attempts(typed: Typed, unknown: str) -> None:
    left = await typed("ledger", "show", unknown)
    assert left.code == 0
    assert [line.split() for line in left.out.splitlines()][:2] == [["Key", KEY], ["State", "unknown"]]
    document = (await typed("ledger", "show", unknown, "--json")).document
    assert (document["key"], document["state"], document["attempts"]) == (KEY, "unknown", 1)


async def test_an_effect_settled_as_done_is_replayed_with_its_result(
    typed: Typed, unknown: str, guards: RedisGuards
) -> None:
    left = await typed("ledger", "settle", unknown, "--done", '{"mail": "M-1"}', *WHY)
    assert (left.code, left.out) == (0, f"{KEY} is settled as done, by ann\n")
    assert await begun(guards, "run/2") == Replay({"mail": "M-1"}, 1)
    shown = (await typed("ledger", "show", unknown)).out
    assert [word for word in ('{"mail": "M-1"}', "ann", "looked it up at the shop") if word not in shown] == []
    (await typed("ledger", "settle", unknown, "--not-done", *WHY)).refuses(2, "its result is recorded")


async def test_an_effect_settled_as_not_done_may_be_tried_again(
    typed: Typed, unknown: str, guards: RedisGuards
) -> None:
    document = (await typed("ledger", "settle", unknown, "--not-done", *WHY, "--json")).document
    assert (document["key"], document["state"], document["settled"]) == (KEY, "free", "free")
    assert (document["by"], document["act"]["reason"]) == ("ann", "looked it up at the shop")
    assert isinstance(await begun(guards, "run/2"), Proceed)


async def test_an_effect_that_somebody_works_on_is_not_settled(typed: Typed, guards: RedisGuards) -> None:
    await begun(guards, "run/1")
    (await typed("ledger", "settle", KEY, "--not-done", *WHY)).refuses(2, "somebody works on it")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--done", "{}", "--not-done", *WHY), ("--done", "--not-done")),
        (WHY, ("--done", "--not-done")),
        (("--done", "{", *WHY), ("--done", "JSON")),
        (("--done", "", *WHY), ("--done", "JSON")),
        (("--done", "NaN", *WHY), ("JSON",)),
        (("--done", "[" * 100_000, *WHY), ("JSON",)),
        (("--not-done", "--by", "ann"), ("--reason",)),
        (("--not-done", "--by", "", "--reason", "why"), ("by",)),
    ],
)
async def test_a_settlement_that_is_not_clear_is_refused_and_changes_nothing(
    typed: Typed, unknown: str, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    (await typed("ledger", "settle", unknown, *arguments)).refuses(2, *words)
    assert (await typed("ledger", "show", unknown, "--json")).document["state"] == "unknown"


async def test_a_key_that_nobody_knows_is_told(typed: Typed) -> None:
    (await typed("ledger", "show", "nothing")).refuses(2, "no claim 'nothing'")
    (await typed("ledger", "settle", "nothing", "--not-done", *WHY)).refuses(2, "no claim 'nothing'")
    (await typed("ledger", "show", "k" * 3000)).refuses(2, "3000 characters")
    (await typed("ledger", "show", "nothing", REDIS_URL="redis://127.0.0.1:1/0")).refuses(4, "REDIS_URL")
