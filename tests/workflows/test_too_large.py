"""What is larger than a message may be: a conversation that nobody keeps any more, and what a model says."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from temporalio.client import Client

from surefoot.contracts.conversation import TextPart, size_in_bytes
from surefoot.contracts.models import Generation, Prompt
from surefoot.embedded.redis import Redis
from surefoot.errors import InvalidInput, RunFailed
from surefoot.ports import OnText
from surefoot.settings import Settings
from tests.workflows.at_length import fact, library, page, reading
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History
from tests.workflows.test_condensing import SIZE, forgetful, is_summary, pages_in
from tests.workflows.test_transcripts import WatchedModel
from workflows.errands import MAX_INPUT


class Wordy(WatchedModel):
    """Says much with each of its calls."""

    size = 200_000

    async def generate(self, prompt: Prompt, *, on_text: OnText, idle_limit: timedelta) -> Generation:
        answer = await super().generate(prompt, on_text=on_text, idle_limit=idle_limit)
        if not answer.message.calls:
            return answer
        parts = (TextPart(text=page(len(prompt.messages), self.size)), *answer.message.parts)
        return answer.model_copy(update={"message": answer.message.model_copy(update={"parts": parts})})


async def test_what_is_too_large_to_be_sent_whole_is_shortened_when_redis_has_lost_it(
    settings: Settings, redis: Redis, temporal_client: Client, ask: Ask, history: History, tmp_path: Path
) -> None:
    own = settings.model_copy(
        update={"redis_url": SecretStr(redis.url), "store_timeout": timedelta(seconds=5), "transcript_memory": 0}
    )
    model = Wordy(redis, wipes_in=(11,))
    async with library(own, temporal_client, model, tmp_path) as surefoot:
        started = await surefoot.start(ask(reading(11, size=SIZE), forgetful(tmp_path, context=2_000_000)))
        result = await surefoot.result(started.run)
        steps = [step.what for step in (await surefoot.progress(started.run)).steps]
        with pytest.raises(InvalidInput, match="too large for Temporal; set SUREFOOT_PAYLOAD_STORE"):
            await surefoot.conversation(started.run)
    assert result.tools_called == ("read_page",) * 11
    assert size_in_bytes(model.prompts[-2].messages) > MAX_INPUT > size_in_bytes(model.prompts[-1].messages)
    assert any("bytes; at most 1800000 fit" in step for step in steps)
    assert not any(is_summary(prompt) for prompt in model.prompts)
    assert fact(11) in pages_in(model.prompts[-1].messages)[-1]
    await history(started.run)


async def test_a_model_that_says_more_than_a_message_holds_ends_its_run_clearly(
    settings: Settings, temporal_client: Client, ask: Ask, tmp_path: Path
) -> None:
    model = Wordy()
    model.size = 300_000
    async with library(settings, temporal_client, model, tmp_path) as surefoot:
        with pytest.raises(RunFailed, match="at most 262144 fit") as failed:
            await surefoot.run(ask(reading(1, size=SIZE), forgetful(tmp_path, context=2_000_000)))
    assert failed.value.type == "PayloadTooLarge"
    assert len(model.prompts) == 1
