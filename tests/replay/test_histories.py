"""What workers of before began, this code goes on with: every recorded history replays."""

import json
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.workflow import NondeterminismError

from surefoot.embedded.redis import Redis
from surefoot.embedded.temporal import NAMESPACE
from tests.replay import golden
from tests.replay.record import place, record, version
from tests.replay.scenarios import SCENARIOS
from worker import WORKFLOWS
from workflows import policies
from workflows.sandbox import runner

RECORDED = golden.recorded()
FIRST_INCIDENTS = "before-0.1.0/incidents/"
"""Incidents from before there was an escalation; one of them went on as a new one after five signals."""
BYTES = 500_000
"""Of all recorded histories."""


async def replay(history: WorkflowHistory, within: WorkflowRunner | None = None) -> None:
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=within or runner(),
        data_converter=pydantic_data_converter,
        namespace=NAMESPACE,
    )
    await replayer.replay_workflow(history)


@pytest.mark.parametrize("within", [runner(), UnsandboxedWorkflowRunner()], ids=["sandboxed", "as workers run"])
@pytest.mark.parametrize("name", RECORDED)
async def test_what_an_older_worker_began_goes_on(
    name: str, within: WorkflowRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name.startswith(FIRST_INCIDENTS):
        monkeypatch.setattr(policies, "SIGNALS_A_RUN", 5)
    await replay(golden.read(RECORDED[name]), within)


async def test_code_that_decides_otherwise_is_found_out() -> None:
    history = golden.read(RECORDED[f"{version()}/plain-run-1"])
    told = json.loads(history.to_json())
    asked = [event.get("activityTaskScheduledEventAttributes") for event in told["events"]]
    next(filter(None, asked))["activityType"]["name"] = "tool.fax"
    with pytest.raises(NondeterminismError):
        await replay(WorkflowHistory.from_json(history.workflow_id, told))


def test_this_version_is_recorded_whole() -> None:
    assert [name for name in SCENARIOS if not golden.written(golden.FOLDER / version(), name)] == []


def test_recorded_histories_are_small_and_tell_nothing_of_the_machine() -> None:
    assert sum(path.stat().st_size for path in RECORDED.values()) < BYTES
    told = {name: golden.traces(json.loads(golden.read(path).to_json())) for name, path in RECORDED.items()}
    assert {name: found for name, found in told.items() if found} == {}


async def test_a_scenario_is_recorded_once_and_what_is_recorded_replays(
    tmp_path: Path, unique: str, simulator_url: str, redis: Redis, temporal_client: Client, temporal_address: str
) -> None:
    async with place(unique, simulator_url=simulator_url, redis=redis, temporal_address=temporal_address) as where:
        paths = await record("approvals", tmp_path, where)
        with pytest.raises(FileExistsError, match="approvals is recorded already: approvals-1"):
            await record("approvals", tmp_path, where)
    assert len(paths) >= 2
    for path in paths:
        await replay(golden.read(path))


def test_a_history_that_would_tell_of_the_machine_is_not_written(tmp_path: Path) -> None:
    history = golden.read(RECORDED[f"{version()}/plain-run-1"])
    history.events[0].workflow_execution_started_event_attributes.memo.fields["path"].data = b'"/home/ann/agents"'
    with pytest.raises(ValueError, match="would tell of this machine: /home/"):
        golden.write(tmp_path / "plain-run-1.json.gz", history)
    assert list(tmp_path.iterdir()) == []
