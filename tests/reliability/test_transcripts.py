"""Conversations kept out of line: what is read is what was meant, or nothing."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.conversation import (
    AssistantMessage,
    CallPart,
    ConversationMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from surefoot.contracts.models import Preamble, ToolOffer
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.ports import Addition, Said
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.transcripts import KEPT, RedisTranscripts
from tests.reliability.given import CENT, NEVER_ON_COUNT, books, charge, held, permit, reservation

EMPTY = TranscriptRef(key="default/run:acme:1")
QUESTION: tuple[ConversationMessage, ...] = (
    UserMessage(text="Größe?\nOn two lines.\u2028Or three."),
    AssistantMessage(provider="gemini", parts=(CallPart(id="1", tool="look", arguments={"n": 1}, signature="s"),)),
)
RESULT: tuple[ConversationMessage, ...] = (
    ToolMessage(call_id="1", tool="look", content="x" * 5000),
    AssistantMessage(provider="gemini", parts=(TextPart(text="Large."),)),
)


PREAMBLE = Preamble(system="You look things up.", tools=(ToolOffer(name="look", description="Look.", parameters={}),))


@pytest.fixture
def kept(guards: RedisGuards, prefix: str) -> RedisTranscripts:
    """Of a worker that remembers nothing itself."""
    return RedisTranscripts(guards.store, prefix, at_hand=0)


def key(prefix: str) -> str:
    return f"{prefix}:conversation:{{default%2Frun:acme:1}}"


async def added(
    guards: RedisGuards,
    kept: RedisTranscripts,
    ref: TranscriptRef,
    messages: tuple[ConversationMessage, ...],
    preamble: Preamble | None = None,
) -> TranscriptRef:
    joining = kept.joining(Addition(ref, messages, preamble))
    assert joining
    assert await guards.store.one(joining.step)
    return kept.joined(joining)


async def messages_of(kept: RedisTranscripts, ref: TranscriptRef) -> tuple[ConversationMessage, ...] | None:
    said = await kept.read(ref)
    return said.messages if said else None


async def test_a_conversation_is_read_by_any_worker_as_it_was_written(
    guards: RedisGuards, other_guards: RedisGuards, prefix: str
) -> None:
    own = guards.transcripts
    first = await added(guards, own, EMPTY, QUESTION)
    second = await added(guards, own, first, RESULT)
    for reader in (own, other_guards.transcripts, RedisTranscripts(other_guards.store, prefix, at_hand=0)):
        assert await messages_of(reader, EMPTY) == ()
        assert await messages_of(reader, first) == QUESTION
        assert await messages_of(reader, second) == (*QUESTION, *RESULT)
    assert second.length == 4


async def test_an_addition_may_be_repeated_and_the_last_answer_counts(
    guards: RedisGuards, kept: RedisTranscripts
) -> None:
    first = await added(guards, kept, EMPTY, QUESTION)
    second = await added(guards, kept, first, RESULT)
    assert await added(guards, kept, first, RESULT) == second
    other = await added(guards, kept, first, (UserMessage(text="Something else"),))
    assert await messages_of(kept, other) == (*QUESTION, UserMessage(text="Something else"))
    assert await kept.read(second) is None
    assert await messages_of(kept, first) == QUESTION


async def test_what_is_missing_damaged_or_different_is_not_read(
    guards: RedisGuards, kept: RedisTranscripts, redis_url: str, prefix: str
) -> None:
    first = await added(guards, kept, EMPTY, QUESTION, PREAMBLE)
    second = await added(guards, kept, first, RESULT)
    assert await kept.read(second.model_copy(update={"digest": "another"})) is None
    assert await kept.read(second.model_copy(update={"length": 5})) is None
    assert await kept.read(second.model_copy(update={"preamble": "another"})) is None
    async with Redis.from_url(redis_url) as redis:
        for damage in ("eNo", "no chunk", "AAAA"):
            await redis.hset(key(prefix), "preamble", damage)
            assert await kept.read(second) is None
        await redis.hdel(key(prefix), "preamble")
        assert await kept.read(second) is None
        second = second.model_copy(update={"preamble": ""})
        assert await kept.read(second)
        for damage in ("eNo", "no chunk", "AAAA"):
            await redis.hset(key(prefix), "2", damage)
            assert await kept.read(second) is None
        await redis.hdel(key(prefix), "0")
        assert await kept.read(first) is None
        await redis.delete(key(prefix))
        assert await kept.read(first) is None


async def test_a_preamble_is_kept_until_another_takes_its_place(guards: RedisGuards, kept: RedisTranscripts) -> None:
    first = await added(guards, kept, EMPTY, QUESTION, PREAMBLE)
    assert first.preamble == PREAMBLE.digest
    assert await kept.read(first) == Said(QUESTION, PREAMBLE)
    later = Preamble(system="You look things up.")
    second = await added(guards, kept, first.model_copy(update={"preamble": ""}), RESULT, later)
    assert await kept.read(second) == Said((*QUESTION, *RESULT), later)
    assert await kept.read(first) is None
    assert await messages_of(kept, first.model_copy(update={"preamble": ""})) == QUESTION


async def test_a_worker_remembers_what_it_wrote_itself_within_bounds_and_to_the_digest(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    own = RedisTranscripts(guards.store, prefix, at_hand=40_000)
    first = await added(guards, own, EMPTY, QUESTION, PREAMBLE)
    second = await added(guards, own, first, RESULT)
    async with Redis.from_url(redis_url) as redis:
        await redis.delete(key(prefix))
    assert await own.read(second) == Said((*QUESTION, *RESULT), PREAMBLE)
    assert await own.read(second.model_copy(update={"preamble": ""})) == Said((*QUESTION, *RESULT))
    for other in ({"digest": "another"}, {"length": 3}, {"preamble": "another"}, {"key": "default/run:acme:2"}):
        assert await own.read(second.model_copy(update=other)) is None
    for number in range(3):
        await added(guards, own, TranscriptRef(key=f"other {number}"), RESULT)
    assert await own.read(second) is None


async def test_a_conversation_is_kept_in_the_batch_that_settles_and_fails_nothing_else(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    hold = held(await guards.reserve(reservation("h", CENT)))
    entry = await guards.begin_model_call(hold, 1, NEVER_ON_COUNT)
    said, paid = Addition(EMPTY, QUESTION), charge(hold, CENT)
    async with Redis.from_url(redis_url) as redis:
        await redis.set(key(prefix), "no hash")
        receipt = await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, paid, said=said)
        assert receipt.transcript is None
        assert receipt.store == hold.epoch
        await redis.delete(key(prefix))
    receipt = await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, paid, said=said)
    assert receipt.transcript
    assert await messages_of(guards.transcripts, receipt.transcript) == QUESTION
    assert (await books(guards, prefix)).settled == CENT


async def test_a_transcript_is_compressed_forgotten_in_time_and_bounded(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    kept = RedisTranscripts(guards.store, prefix, most=6000)
    ref = await added(guards, kept, await added(guards, kept, EMPTY, QUESTION), RESULT)
    assert 5000 < ref.size < 6000
    assert kept.joining(Addition(ref, RESULT)) is None
    async with Redis.from_url(redis_url) as redis:
        assert timedelta(0) < timedelta(seconds=await redis.ttl(key(prefix))) <= KEPT
        assert sum(len(chunk) for chunk in await redis.hvals(key(prefix))) < 1000
