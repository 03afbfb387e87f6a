"""Conversations kept out of line: what is read is what was meant, or nothing."""

from datetime import timedelta

from redis.asyncio import Redis

from surefoot.contracts.conversation import (
    AssistantMessage,
    CallPart,
    ConversationMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.transcripts import KEPT, RedisTranscripts

EMPTY = TranscriptRef(key="default/run:acme:1")
QUESTION: tuple[ConversationMessage, ...] = (
    UserMessage(text="Größe?\nOn two lines.\u2028Or three."),
    AssistantMessage(provider="gemini", parts=(CallPart(id="1", tool="look", arguments={"n": 1}, signature="s"),)),
)
RESULT: tuple[ConversationMessage, ...] = (
    ToolMessage(call_id="1", tool="look", content="x" * 5000),
    AssistantMessage(provider="gemini", parts=(TextPart(text="Large."),)),
)


def key(prefix: str) -> str:
    return f"{prefix}:transcript:{{default%2Frun:acme:1}}"


async def appended(
    kept: RedisTranscripts, ref: TranscriptRef, messages: tuple[ConversationMessage, ...]
) -> TranscriptRef:
    found = await kept.append(ref, messages)
    assert found
    return found


async def test_a_conversation_is_read_by_any_worker_as_it_was_written(
    guards: RedisGuards, other_guards: RedisGuards, prefix: str
) -> None:
    kept = RedisTranscripts(guards.store, prefix)
    first = await appended(kept, EMPTY, QUESTION)
    second = await appended(kept, first, RESULT)
    other = RedisTranscripts(other_guards.store, prefix)
    assert await other.read(EMPTY) == ()
    assert await other.read(first) == QUESTION
    assert await other.read(second) == (*QUESTION, *RESULT)
    assert second.length == 4


async def test_an_append_may_be_repeated_and_the_last_answer_counts(guards: RedisGuards, prefix: str) -> None:
    kept = RedisTranscripts(guards.store, prefix)
    first = await appended(kept, EMPTY, QUESTION)
    second = await appended(kept, first, RESULT)
    assert await appended(kept, first, RESULT) == second
    other = await appended(kept, first, (UserMessage(text="Something else"),))
    assert await kept.read(other) == (*QUESTION, UserMessage(text="Something else"))
    assert await kept.read(second) is None
    assert await kept.read(first) == QUESTION


async def test_what_is_missing_damaged_or_different_is_not_read(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    kept = RedisTranscripts(guards.store, prefix)
    first = await appended(kept, EMPTY, QUESTION)
    second = await appended(kept, first, RESULT)
    assert await kept.read(second.model_copy(update={"digest": "another"})) is None
    assert await kept.read(second.model_copy(update={"length": 5})) is None
    async with Redis.from_url(redis_url) as redis:
        for damage in ("eNo", "no chunk", "AAAA"):
            await redis.hset(key(prefix), "2", damage)
            assert await kept.read(second) is None
        await redis.hdel(key(prefix), "0")
        assert await kept.read(first) is None
        await redis.delete(key(prefix))
        assert await kept.read(first) is None


async def test_a_transcript_is_compressed_forgotten_in_time_and_bounded(
    guards: RedisGuards, redis_url: str, prefix: str
) -> None:
    kept = RedisTranscripts(guards.store, prefix, most=6000)
    ref = await appended(kept, await appended(kept, EMPTY, QUESTION), RESULT)
    assert 5000 < ref.size < 6000
    assert await kept.append(ref, RESULT) is None
    async with Redis.from_url(redis_url) as redis:
        assert timedelta(0) < timedelta(seconds=await redis.ttl(key(prefix))) <= KEPT
        assert sum(len(chunk) for chunk in await redis.hvals(key(prefix))) < 1000
