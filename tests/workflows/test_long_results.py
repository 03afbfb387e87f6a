"""Results that are too long for a model: it reads pages, and the history never holds the whole."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis as Connection
from temporalio.client import Client

from activities.cutting import Cutting
from surefoot import pages
from surefoot.contracts.conversation import ToolMessage
from surefoot.contracts.tools import Effect, ToolBooking, ToolCall, ToolResult
from surefoot.reliability.blobs import RedisBlobs
from surefoot.reliability.guards import RedisGuards
from surefoot.settings import Settings
from surefoot.tools.read_on import read_on
from tests.workflows.at_length import PROFILE, library, page, reading
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History
from tests.workflows.test_transcripts import size

LARGE = 5_000_000
NAME = "a" * 24


def told(messages: tuple[object, ...]) -> Iterator[str]:
    return (message.content for message in messages if isinstance(message, ToolMessage))


def body(told: str) -> str:
    """A page without its note."""
    return told.rpartition("\n\n[")[0]


@pytest.mark.parametrize(
    ("effect", "hint"), [(Effect.READ, "narrower arguments"), (Effect.KEYED, "do not make it again")]
)
async def test_a_result_whose_rest_cannot_be_kept_is_cut_and_says_so(
    redis_url: str, prefix: str, effect: Effect, hint: str
) -> None:
    guards = RedisGuards.connect(redis_url, prefix=prefix, timeout=timedelta(seconds=2))
    contract = read_on.offered.model_copy(update={"effect": effect})
    call = ToolCall(id="1", contract=contract, arguments={}, effect_key="k" * 64, tenant="acme")
    booking = ToolBooking(content="x" * 20_000)
    cutting = Cutting(RedisBlobs(guards.store, prefix, most=18_000), contract)
    for length, unsettled in ((20_000, ()), (17_000, (booking,))):
        result = await cutting.cut(call, ToolResult(content="x" * length, unsettled=unsettled))
        assert isinstance(result.content, str)
        assert len(result.content) <= pages.PAGE
        assert hint in result.content
        assert result.offers == ()
        assert [one.content for one in result.unsettled] == [result.content for _ in unsettled]
    await guards.close()


@pytest.mark.parametrize("text", ["x" * 40_000, "ß" * 20_000, "€" * 9_000, "a😀" * 8_000, "x" * 16_385])
def test_the_pages_of_a_text_are_all_of_it(text: str) -> None:
    assert pages.is_long(text)
    found = [pages.page(text, number, NAME) for number in range(1, pages.count(text) + 1)]
    assert "".join(body(one) for one in found) == text
    assert max(len(one.encode()) for one in found) <= pages.PAGE
    assert [f'"page": {number + 1}}}' in one for number, one in enumerate(found[:-1], 1)] == [True] * (len(found) - 1)


async def test_a_result_of_5_mb_is_told_page_by_page(
    settings: Settings, temporal_client: Client, ask: Ask, history: History
) -> None:
    whole = page(1, LARGE)
    async with library(settings, temporal_client) as surefoot:
        first = await surefoot.start(ask(reading(1, size=LARGE), PROFILE, key="first"))
        await surefoot.result(first.run)
        (cut,) = told((await surefoot.conversation(first.run)).messages)
        name = cut.partition('"result": "')[2][:24]
        further = " ".join(f'[[call read_on {{"result": "{name}", "page": {number}}}]]' for number in (2, 316, 317))
        second = await surefoot.start(ask(f"{reading(1, size=LARGE)} {further}", PROFILE))
        third = await surefoot.start(ask(f"{reading(1, size=LARGE)} {further}", PROFILE, key="first", tenant="other"))
        await surefoot.result(second.run)
        await surefoot.result(third.run)
        own = list(told((await surefoot.conversation(second.run)).messages))
        foreign = list(told((await surefoot.conversation(third.run)).messages))
    assert len(cut.encode()) <= pages.PAGE
    assert cut.startswith(whole[:15_000])
    assert "Page 1 of 316; 5000000 bytes in all" in cut
    assert [one in whole for one in (body(own[1]), body(own[2]))] == [True, True]
    assert whole.endswith(body(own[2]))
    assert "there is no page 317" in own[3]
    assert "not kept" in foreign[1]  # another tenant's
    assert "if it only reads, and no other" in foreign[1]
    assert size(await history(first.run)) < 80_000


async def test_a_model_reads_on_where_a_result_was_cut(
    settings: Settings, temporal_client: Client, ask: Ask, history: History
) -> None:
    request = ask("Read.", PROFILE)
    async with library(settings, temporal_client) as surefoot:
        probe = await surefoot.start(request.model_copy(update={"prompt": reading(1, size=40_000)}))
        await surefoot.result(probe.run)
        (cut,) = told((await surefoot.conversation(probe.run)).messages)
        name = cut.partition('"result": "')[2][:24]
        words = " ".join(f'[[call read_on {{"result": "{name}", "page": {number}}}]]' for number in (2, 3, 4))
        started = await surefoot.start(ask(f"{reading(1, size=20_000)} {words}", PROFILE))
        result = await surefoot.result(started.run)
        found = list(told((await surefoot.conversation(started.run)).messages))
    assert "".join(body(one) for one in (cut, *found[1:3])) == page(1, 40_000)
    assert found[2].endswith("[Page 3 of 3; 40000 bytes in all.]")
    assert "the result has 3 pages, so there is no page 4" in found[3]
    assert result.tools_called == ("read_page", "read_on", "read_on")
    await history(started.run)


async def test_what_is_read_lives_on_as_what_is_put_again_does(redis_url: str, prefix: str) -> None:
    guards = RedisGuards.connect(redis_url, prefix=prefix, timeout=timedelta(seconds=2))
    brief, long = (RedisBlobs(guards.store, prefix, kept=timedelta(minutes=minutes)) for minutes in (1, 60))
    async with Connection.from_url(redis_url) as redis:
        left = []
        await brief.put("page", b"words")
        [key] = [key async for key in redis.scan_iter(match=f"{prefix}:blob:*")]
        for read in (brief, long):
            assert await read.get("page") == b"words"
            left.append(await redis.pttl(key))
    assert left[0] <= 60_000 < left[1] <= 3_600_000
    assert await long.get("another") is None
    await guards.close()
