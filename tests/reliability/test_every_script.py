"""What holds for each script: its keys share a slot of a cluster, and a repetition answers the same."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot

import surefoot.reliability
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.store import Row, Step, Store
from tests.reliability.conftest import TIMEOUT
from tests.reliability.every_script import use_everything

LUA = Path(surefoot.reliability.__file__).parent / "lua"
CLOCK = (LUA / "clock.lua").read_text()
SCRIPTS = sorted(f"{path.parent.name}/{path.stem}" for path in LUA.glob("*/*.lua") if path.name != "common.lua")


class RecordingStore(Store):
    """Remembers each step that is sent."""

    sent: list[Step[object]]

    async def send(self, steps: Sequence[Step[object]]) -> list[Row]:
        self.sent = [*getattr(self, "sent", []), *steps]
        return await super().send(steps)


@pytest.mark.parametrize("name", ["acme", "a}b{c", "}{", "a:b", "Zürich", "gemini:gemini-2.5-pro"])
async def test_the_keys_of_each_script_call_share_a_slot(redis_url: str, prefix: str, name: str) -> None:
    store = RecordingStore.connect(redis_url, timeout=TIMEOUT)
    await use_everything(RedisGuards(store, prefix), prefix, name)
    await store.close()
    calls = [(step.script.name, _keys(step)) for step in store.sent if step.script]
    assert sorted({script for script, _ in calls}) == SCRIPTS, "each script was called"
    for script, keys in calls:
        assert len({key_slot(key.encode()) for key in keys}) == 1, (script, keys)
        assert len(set(keys)) == len(keys), (script, keys)
        assert all(key.startswith(f"{prefix}:") for key in keys), (script, keys)


def _keys(step: Step[object]) -> list[str]:
    count = int(step.words[2])
    return [str(word) for word in step.words[3 : 3 + count]]


@dataclass(frozen=True)
class Twice:
    """A script's replies to the same arguments at the same moment, and what was kept after each."""

    script: str
    replies: tuple[Row, Row]
    states: tuple[dict[bytes, bytes], dict[bytes, bytes]]


class RepeatingStore(Store):
    """Runs each script twice, at a moment that stands still."""

    redis: Redis
    seen: list[Twice]

    async def send(self, steps: Sequence[Step[object]]) -> list[Row]:
        return [await self._sent(step) for step in steps]

    async def _sent(self, step: Step[object]) -> Row:
        if step.script is None:
            return (await super().send([step]))[0]
        seconds, micros = await self.redis.time()
        standing = f"local function now() return {seconds * 1000 + micros // 1000} end\n"
        source = standing + step.script.source.removeprefix(CLOCK)
        still = Step(("EVAL", source, *step.words[2:]), lambda row: row)
        first, before = (await super().send([still]))[0], await self._state(step)
        second, after = (await super().send([still]))[0], await self._state(step)
        self.seen.append(Twice(step.script.name, (first, second), (before, after)))
        return first

    async def _state(self, step: Step[object]) -> dict[bytes, bytes]:
        keys = [key async for key in self.redis.scan_iter(match=f"{_keys(step)[0].partition(':')[0]}:*", count=1000)]
        return {key: value for key in sorted(keys) if (value := await self.redis.dump(key))}


@pytest.fixture(scope="module")
async def twice(redis_url: str) -> AsyncIterator[list[Twice]]:
    store = RepeatingStore.connect(redis_url, timeout=TIMEOUT)
    async with Redis.from_url(redis_url) as redis:
        store.redis, store.seen = redis, []
        prefix = f"test-{uuid.uuid4().hex[:12]}"  # another test process may do this at the same time
        await use_everything(RedisGuards(store, prefix), prefix, "acme")
        yield store.seen
    await store.close()


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_repeated_with_the_same_arguments_answers_the_same_and_changes_nothing(
    twice: list[Twice], script: str
) -> None:
    calls = [call for call in twice if call.script == script]
    assert calls
    for call in calls:
        assert call.replies[1] == call.replies[0]
        assert call.states[1] == call.states[0]
