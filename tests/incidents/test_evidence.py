"""What a run left behind can be read as a story, short and without secrets."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import Worker

from surefoot.errors import NotFound, Unreachable
from surefoot.incidents import evidence as reading
from surefoot.incidents.evidence import TemporalEvidence
from surefoot.incidents.timeline import HEAD, TAIL
from tests.incidents.parents import EndlessRun, FailingRun, LongRun


@pytest.fixture
async def failed_run(worker: Worker, temporal_client: Client, task_queue: str) -> str:
    handle: WorkflowHandle[FailingRun, None] = await temporal_client.start_workflow(
        FailingRun.run, id=f"run-{task_queue}", task_queue=task_queue
    )
    await handle.execute_update(FailingRun.decide)
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    return handle.id


async def test_a_timeline_tells_of_attempts_errors_timers_waits_and_decisions(
    failed_run: str, temporal_client: Client
) -> None:
    evidence = await TemporalEvidence(temporal_client).of_run(failed_run)
    story = [entry.what for entry in evidence.timeline]
    expected = [
        "run started",
        "guardrails.check done",
        "timer (waiting for Redis) set to 0.01 s",
        "timer (waiting for Redis) ended",
        "tool.create_order (2 lamps) asked for",
        "tool.create_order (2 lamps) began attempt 2, after ToolRetryable: 503",
        "tool.create_order (2 lamps) failed: ToolRetryable: 503",
        "run failed: ToolFailed: no lamps",
    ]
    told = iter(story)
    assert all(any(line.startswith(want) for line in told) for want in expected), story
    assert "update decide accepted" in story
    assert evidence.run_status == "failed"
    assert evidence.attempts == 2
    assert evidence.errors == ("ToolRetryable: 503 for [mail address] with Bearer [token]", "ToolFailed: no lamps")
    assert "bob@" not in evidence.model_dump_json()
    assert len(evidence.workers) == 1
    assert f"{os.getpid()}@" in evidence.workers[0]
    assert ", build " in evidence.workers[0]
    assert [entry.at for entry in evidence.timeline] == sorted(entry.at for entry in evidence.timeline)


async def test_an_attempt_under_way_is_part_of_the_evidence(temporal_client: Client, task_queue: str) -> None:
    handle = await temporal_client.start_workflow(FailingRun.run, id=f"run-{task_queue}", task_queue=task_queue)
    evidence = await TemporalEvidence(temporal_client).of_run(handle.id)
    assert (evidence.run_status, [entry.what for entry in evidence.timeline]) == ("running", ["run started"])
    await handle.terminate(reason="seen enough")
    evidence = await TemporalEvidence(temporal_client).of_run(handle.id)
    assert evidence.timeline[-1].what == "run terminated: seen enough"


async def test_a_long_history_keeps_its_beginning_and_its_end(
    worker: Worker, temporal_client: Client, task_queue: str
) -> None:
    run = f"run-{task_queue}"
    await temporal_client.execute_workflow(LongRun.run, id=run, task_queue=task_queue)
    timeline = (await TemporalEvidence(temporal_client).of_run(run)).timeline
    assert len(timeline) == HEAD + 1 + TAIL
    assert timeline[0].what == "run started"
    assert timeline[HEAD].what == f"{2 + 2 * 64 - HEAD - TAIL} entries left out"
    assert timeline[-1].what == "run completed"


@pytest.mark.parametrize("more", [1, 2])
async def test_the_story_of_a_run_that_went_on_is_told_from_its_newest_histories(
    worker: Worker, temporal_client: Client, task_queue: str, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "HISTORIES", 2)
    run = f"run-{task_queue}"
    await temporal_client.execute_workflow(EndlessRun.run, more, id=run, task_queue=task_queue)
    evidence = await TemporalEvidence(temporal_client).of_run(run)
    story = [entry.what for entry in evidence.timeline]
    begun = "run started" if more == 1 else "run went on from an earlier history, which was not read"
    assert story == [
        begun,
        "timer (1 left) set to 0.001 s",
        "timer (1 left) ended",
        "run went on in a new history",
        "timer (0 left) set to 0.001 s",
        "timer (0 left) ended",
        "run completed",
    ]
    assert evidence.run_status == "completed"


async def test_a_history_that_is_gone_is_not_found(temporal_client: Client, unique: str) -> None:
    with pytest.raises(NotFound, match=f"no history of 'run-{unique}'"):
        await TemporalEvidence(temporal_client).of_run(f"run-{unique}")


async def test_a_server_that_has_gone_is_unreachable(temporal_address: str) -> None:
    async with relay(temporal_address) as address:
        client = await Client.connect(address)
    with pytest.raises(Unreachable, match=r"did not give the history of 'run-1' within 0\.2 s"):
        await TemporalEvidence(client, patience=timedelta(milliseconds=200)).of_run("run-1")


@asynccontextmanager
async def relay(address: str) -> AsyncIterator[str]:
    """Another address for a server, which is gone at the end."""
    ends: list[asyncio.StreamWriter] = []

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)
        while data := await reader.read(65536):
            writer.write(data)

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = address.rsplit(":", 1)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(passed_on(reader, far_writer), passed_on(far_reader, writer))

    server = await asyncio.start_server(join, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"{host}:{port}"
    server.close()
    for end in ends:
        end.close()
