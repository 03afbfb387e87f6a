"""The embedded stack, started and ended for real."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from surefoot import attributes
from surefoot.embedded.lock import AlreadyRunning, locked
from surefoot.embedded.stack import Stack
from surefoot.errors import SurefootError
from surefoot.settings import STACK_FILE, load
from tests.support.redis import ask_redis

NOTHING_GIVEN: dict[str, str] = {}


async def test_what_the_stack_knew_is_still_there_when_it_is_started_again(tmp_path: Path) -> None:
    found_by = TypedSearchAttributes([SearchAttributePair(key, f"some {key.name}") for key in attributes.ALL])
    async with Stack(tmp_path, given=NOTHING_GIVEN) as stack:
        settings = stack.settings()
        await ask_redis(settings.redis_url.get_secret_value(), "SET colour green")
        client = await Client.connect(settings.temporal_address or "")
        await client.start_workflow("Anything", id="kept", task_queue="nobody", search_attributes=found_by)

    async with Stack(tmp_path, given=NOTHING_GIVEN) as stack:
        settings = stack.settings()
        assert await ask_redis(settings.redis_url.get_secret_value(), "GET colour") == "green"
        client = await Client.connect(settings.temporal_address or "")
        described = await client.get_workflow_handle("kept").describe()
        assert described.status is WorkflowExecutionStatus.RUNNING
        assert described.typed_search_attributes == found_by


async def test_a_second_stack_in_the_same_folder_is_refused_and_one_in_another_folder_runs(tmp_path: Path) -> None:
    async with Stack(tmp_path / "a b", given=NOTHING_GIVEN, in_memory=True, ui=False) as first:
        with pytest.raises(AlreadyRunning) as refusal:
            await Stack(tmp_path / "a b", given=NOTHING_GIVEN).__aenter__()
        assert str(tmp_path / "a b") in str(refusal.value)
        assert first.lent["TEMPORAL_ADDRESS"] in str(refusal.value)
        assert "\n" not in str(refusal.value)

        async with Stack(tmp_path / "other", given=NOTHING_GIVEN, in_memory=True, ui=False) as second:
            assert second.lent.keys() == first.lent.keys()
            assert second.lent["REDIS_URL"] != first.lent["REDIS_URL"]
            assert await ask_redis(second.lent["REDIS_URL"], "PING") == "+PONG"
        assert await ask_redis(first.lent["REDIS_URL"], "PING") == "+PONG"


async def test_a_stack_that_still_starts_is_not_disturbed_by_a_second_one(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(AlreadyRunning, match=f"as process {os.getpid()}; use it"):
        await Stack(tmp_path, given=NOTHING_GIVEN).__aenter__()


async def test_other_commands_find_the_stack_through_the_state_folder_while_it_runs(
    tmp_path: Path, redis_url: str, temporal_address: str
) -> None:
    given = {"REDIS_URL": redis_url, "TEMPORAL_ADDRESS": temporal_address}
    async with Stack(tmp_path, given=given) as stack:
        found = load(SUREFOOT_STATE_DIR=tmp_path, **given, _env_file=None)
        assert str(found.order_url) == stack.lent["ORDER_API_URL"]
    assert not (tmp_path / STACK_FILE).exists()


async def test_what_is_given_is_used_and_not_started(tmp_path: Path, redis_url: str, temporal_address: str) -> None:
    given = {
        "REDIS_URL": redis_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "GEMINI_API_KEY": "a real one",
        "ORDER_API_URL": "http://127.0.0.1:9/orders",
    }
    async with Stack(tmp_path, given=given) as stack:
        assert [server.name for server in stack.servers] == ["simulator"]
        assert stack.lent.keys().isdisjoint({*given, "GEMINI_API_URL"})
        environment = stack.environment(SUREFOOT_TASK_QUEUE="mine")
        assert environment.items() >= given.items()
        assert environment["MISTRAL_API_URL"].startswith(stack.simulator_url or "?")
        assert environment["SUREFOOT_TASK_QUEUE"] == "mine"


async def test_a_server_that_dies_is_reported_with_the_last_lines_of_its_log(
    tmp_path: Path, temporal_address: str
) -> None:
    given = {"TEMPORAL_ADDRESS": temporal_address}
    async with Stack(tmp_path, given=given, in_memory=True) as stack:
        redis = next(server for server in stack.servers if server.name == "Redis")
        os.kill(redis.pid, signal.SIGKILL)
        death = await asyncio.wait_for(stack.watch(), 5)
        assert death.child is redis
        assert str(death).startswith(f"Redis (process {redis.pid}) was ended by SIGKILL\n")
        assert "Ready to accept connections" in str(death)


async def test_a_server_that_cannot_start_is_reported_with_the_reason_and_nothing_stays(
    tmp_path: Path, temporal_address: str
) -> None:
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonly.aof").write_text("this is not an append-only file")
    (tmp_path / "redis" / "appendonlydir").write_text("nor is this a folder")
    stack = Stack(tmp_path, given={"TEMPORAL_ADDRESS": temporal_address})
    with pytest.raises(SurefootError, match=r"(?s)Redis .* ended with exit code 1.*(?i:append[- ]only)"):
        await stack.__aenter__()
    assert not any(server.running for server in stack.servers)
    assert not (tmp_path / STACK_FILE).exists()
