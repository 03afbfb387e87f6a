"""What a run takes along into a new history, and when it is too much."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, JsonValue
from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.conversation import AssistantMessage, CallPart, UserMessage
from surefoot.contracts.models import Generation, Prompt
from surefoot.contracts.profiles import Profile
from surefoot.contracts.tools import Effect
from surefoot.ports import OnText, ToolContext
from surefoot.settings import Settings
from surefoot.simulator.model_port import ScriptedModel
from surefoot.tools.contract import Arguments, tool
from surefoot.tools.http import Backend
from tests.workflows.at_length import page
from tests.workflows.conftest import Ask
from tests.workflows.test_continued import histories
from worker import composed
from workflows.carried import MOST, MOST_IN_ALL, Carried, RunInput, fits
from workflows.deeds import Deeds
from workflows.state import RunState

NOTES = 9
NOTE = 150_000
PROFILE = f"""
system = "You file notes."
ladder = ["scripted:clerk"]
max_output_tokens = 1000
tools = {{ file_away = {{}} }}
budgets = {{ session = {{ limit = "1000" }} }}
[limits]
max_turns = {NOTES + 1}
max_events = 100
context_tokens = 2000000
store_wait = "20s"
model_deadline = "10s"
"""


class Note(Arguments):
    text: Annotated[str, Field(description="What is worth keeping.")]


@tool(backend="search_url", effect=Effect.READ, fallback="The files are closed.")
async def file_away(arguments: Note, context: ToolContext, backend: Backend) -> JsonValue:
    """File a note."""
    return "filed"


class Clerk(ScriptedModel):
    """Writes long notes."""

    async def generate(self, prompt: Prompt, *, on_text: OnText, idle_limit: timedelta) -> Generation:
        answer = await super().generate(prompt, on_text=on_text, idle_limit=idle_limit)
        text = page(len(prompt.messages), NOTE)
        parts = tuple(
            part.model_copy(update={"arguments": {"text": text}}) if isinstance(part, CallPart) else part
            for part in answer.message.parts
        )
        return answer.model_copy(update={"message": answer.message.model_copy(update={"parts": parts})})


async def test_calls_with_long_arguments_are_taken_along_once(
    settings: Settings, temporal_client: Client, ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "clerk.toml").write_text(PROFILE)
    own = settings.model_copy(update={"agents_dir": tmp_path})
    calls = " ".join(f'[[call file_away {{"text": "{number}"}}]]' for number in range(NOTES))
    async with composed(own, temporal_client, designs=(file_away,), scripted=Clerk()) as worker, worker:
        surefoot = SurefootClient(temporal_client, task_queue=settings.task_queue)
        started = await surefoot.start(ask(calls, "clerk"))
        result = await surefoot.result(started.run)
    assert result.tools_called == ("file_away",) * NOTES
    found = await histories(temporal_client, started.run)
    begun = [recorded.events[0].workflow_execution_started_event_attributes.input.ByteSize() for recorded in found]
    assert len(begun) == 2
    assert 5 * NOTE < begun[0] < NOTES * NOTE


@pytest.mark.parametrize(
    ("said", "system", "fitting"),
    [(1_000, 1_000, True), (MOST - 20_000, 1_000, True), (MOST, 1_000, False), (MOST - 20_000, 600_000, False)],
)
def test_what_temporal_would_refuse_is_not_taken_along(said: int, system: int, fitting: bool) -> None:
    answer = CallPart(id="1", tool="file_away", arguments={"text": "x" * said})
    taken = RunInput(
        prompt="File it.",
        profile="clerk",
        key="k",
        session="s",
        carried=Carried(
            profile=Profile(name="clerk", system="y" * system, ladder=("scripted:clerk",), max_output_tokens=100),
            state=RunState(messages=(UserMessage(text="File it."), AssistantMessage(provider="p", parts=(answer,)))),
            steps=(),
            started=datetime.now(UTC),
            excluded=timedelta(0),
            deeds=Deeds(),
            asked=0,
            holds=(),
        ),
    )
    assert fits(taken) is fitting
    assert not fitting or len(taken.model_dump_json()) <= MOST_IN_ALL
