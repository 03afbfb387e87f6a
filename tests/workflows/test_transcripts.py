"""Conversations travel by reference: what the model reads is the same, what the history holds is less."""

from datetime import timedelta

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis as Connection
from temporalio.client import Client, WorkflowHistory

from surefoot.contracts.incidents import IncidentKind
from surefoot.contracts.models import Generation, ModelCall, Prompt
from surefoot.embedded.redis import Redis
from surefoot.ports import OnText
from surefoot.settings import Settings
from surefoot.simulator.model_port import ScriptedModel
from tests.workflows.at_length import PROFILE, library, page, reading
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History

PAGES = 6


class WatchedModel(ScriptedModel):
    """Keeps the prompts that it was given; wipes Redis in some of its calls."""

    def __init__(self, redis: Redis | None = None, wipes_in: tuple[int, ...] = ()) -> None:
        self.prompts: list[Prompt] = []
        self._redis = redis
        self._wipes_in = wipes_in

    async def generate(self, prompt: Prompt, *, on_text: OnText, idle_limit: timedelta) -> Generation:
        self.prompts.append(prompt)
        if self._redis and len(self.prompts) in self._wipes_in:
            async with Connection.from_url(self._redis.url) as connection:
                await connection.flushall()
        return await super().generate(prompt, on_text=on_text, idle_limit=idle_limit)


async def model_calls(client: Client, recorded: WorkflowHistory) -> list[ModelCall]:
    inputs = [
        event.activity_task_scheduled_event_attributes.input.payloads
        for event in recorded.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "llm.generate"
    ]
    return [(await client.data_converter.decode(payloads, [ModelCall]))[0] for payloads in inputs]


def size(recorded: WorkflowHistory) -> int:
    return sum(event.ByteSize() for event in recorded.events)


async def test_the_model_reads_everything_although_each_message_travels_once(
    settings: Settings, temporal_client: Client, ask: Ask, history: History
) -> None:
    model = WatchedModel()
    async with library(settings, temporal_client, model) as surefoot:
        started = await surefoot.start(ask(reading(PAGES), PROFILE))
        await surefoot.result(started.run)
        said = (await surefoot.conversation(started.run)).messages
    calls = await model_calls(temporal_client, await history(started.run))

    assert [prompt.messages for prompt in model.prompts] == [said[: 1 + 2 * n] for n in range(PAGES + 1)]
    assert [call.prompt.messages for call in calls] == [
        said[:1],
        *(said[2 * n : 2 * n + 1] for n in range(1, PAGES + 1)),
    ]
    assert [call.transcript.length for call in calls if call.transcript] == [2 * n for n in range(PAGES + 1)]
    assert {(prompt.system, len(prompt.tools)) for prompt in model.prompts} == {(calls[0].prompt.system, 1)}
    assert [bool(call.prompt.system and call.prompt.tools) for call in calls] == [True, *[False] * PAGES]


@pytest.mark.parametrize(("wipes_in", "memory", "resent"), [((3,), 0, 1), ((2, 5), 0, 2), ((2, 5), 1 << 20, 0)])
async def test_a_wiped_redis_costs_one_larger_message_at_most_and_nothing_else(
    settings: Settings,
    redis: Redis,
    temporal_client: Client,
    ask: Ask,
    history: History,
    wipes_in: tuple[int, ...],
    memory: int,
    resent: int,
) -> None:
    """A worker that remembers the conversation itself need not even notice."""
    patient = {"store_timeout": timedelta(seconds=2), "transcript_memory": memory}
    own = settings.model_copy(update={"redis_url": SecretStr(redis.url), **patient})
    model = WatchedModel(redis, wipes_in)
    async with library(own, temporal_client, model) as surefoot:
        started = await surefoot.start(ask(reading(PAGES), PROFILE))
        result = await surefoot.result(started.run)
        said = (await surefoot.conversation(started.run)).messages
        steps = [step.what for step in (await surefoot.progress(started.run)).steps]
    calls = await model_calls(temporal_client, await history(started.run))

    assert result.tools_called == ("read_page",) * PAGES
    assert [prompt.messages for prompt in model.prompts] == [said[: 1 + 2 * n] for n in range(PAGES + 1)]
    whole = [call for call in calls if call.transcript and call.transcript.length == 0]
    assert len(whole) == 1 + resent
    assert len(calls) == PAGES + 1 + resent
    assert sum("the whole conversation is sent again" in step for step in steps) == resent
    assert any(IncidentKind.STORE_WIPED.value in incident for incident in result.incidents)


async def test_a_conversation_of_many_messages_may_be_larger_than_one_message(
    settings: Settings, temporal_client: Client, ask: Ask, history: History
) -> None:
    async with library(settings, temporal_client) as surefoot:
        started = await surefoot.start(ask(reading(20, size=16_000), PROFILE))
        result = await surefoot.result(started.run)
        said = (await surefoot.conversation(started.run)).messages
    assert result.turns == 21
    assert [message.content for message in said if message.role == "tool"] == [page(n, 16_000) for n in range(1, 21)]
    await history(started.run)
