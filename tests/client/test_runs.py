"""Waiting for runs, finding them, and what a caller learns when they end badly."""

import asyncio

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from surefoot.client import SurefootClient, connect
from surefoot.contracts.runs import Phase, RunStatus
from surefoot.errors import InvalidInput, NotFound, RunFailed, Unreachable
from surefoot.settings import Settings
from tests.client.conftest import Ask
from tests.support.waiting import until


async def test_a_failed_run_tells_its_type_and_its_partial_answer(
    client: SurefootClient, worker: Worker, ask: Ask
) -> None:
    with pytest.raises(RunFailed, match="told to fail") as failed:
        await client.run(ask("exhaust"))
    assert failed.value.type == "BudgetExhausted"
    assert failed.value.failure is not None
    assert failed.value.failure.partial.text == "half an answer"


async def test_an_unknown_run_is_not_found(client: SurefootClient) -> None:
    for call in (client.result, client.describe, client.cancel, client.progress):
        with pytest.raises(NotFound, match="'run:default:nobody'"):
            await call("run:default:nobody")


async def test_a_run_that_has_ended_cannot_be_cancelled(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    started = await client.start(ask("say bye"))
    await client.result(started.run)
    with pytest.raises(NotFound, match="ended already"):
        await client.cancel(started.run)


async def test_progress_needs_a_worker_and_says_so(hasty: SurefootClient, ask: Ask) -> None:
    started = await hasty.start(ask("wait"))
    with pytest.raises(Unreachable, match="no worker answers"):
        await hasty.progress(started.run)
    assert (await hasty.describe(started.run)).status is RunStatus.RUNNING


async def test_progress_tells_what_the_run_is_doing(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    started = await client.start(ask("wait"))
    assert (await client.progress(started.run)).phase is Phase.THINKING


async def test_runs_are_listed_by_what_they_are(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    await client.run(ask("say one", "one"))
    with pytest.raises(RunFailed):
        await client.run(ask("fail", "two"))
    session = ask("x").session

    async def listed() -> bool:
        views = await client.runs(session=session)
        return {view.status for view in views} == {RunStatus.COMPLETED, RunStatus.FAILED}

    await until(listed)
    (failed,) = await client.runs(session=session, status=RunStatus.FAILED, profile="support")
    assert "two-" in failed.run
    assert await client.runs(session=session, profile="research") == ()
    assert len(await client.runs(session=session, limit=1)) == 1


@pytest.mark.parametrize("odd", ["it's", 'a "quoted" one', "back\\slash", "' OR Session != '", "100 % \\' _*"])
async def test_a_session_with_quotes_finds_its_own_runs_alone(
    client: SurefootClient, worker: Worker, ask: Ask, odd: str, unique: str
) -> None:
    await client.start(ask("say plain", "plain"))
    started = await client.start(ask("say odd", "odd", session=f"{odd} {unique}"))

    async def found() -> bool:
        return [view.run for view in await client.runs(session=f"{odd} {unique}")] == [started.run]

    await until(found)


async def test_a_limit_below_one_is_refused(client: SurefootClient) -> None:
    with pytest.raises(InvalidInput, match="limit 0"):
        await client.runs(limit=0)
    with pytest.raises(InvalidInput, match="limit -3"):
        await client.incidents(limit=-3)


async def test_a_namespace_that_is_not_there_is_told_apart_from_a_run(settings: Settings, ask: Ask) -> None:
    elsewhere = await connect(settings.model_copy(update={"temporal_namespace": "nowhere"}))
    with pytest.raises(Unreachable, match="create the namespace"):
        await SurefootClient(elsewhere, task_queue="q").start(ask("say hello"))


async def test_a_port_that_nobody_listens_on_is_unreachable(settings: Settings) -> None:
    with pytest.raises(Unreachable, match=r"'127\.0\.0\.1:1' \(.*refused.*starter.py up"):
        await connect(settings.model_copy(update={"temporal_address": "127.0.0.1:1"}))


async def test_a_server_that_says_nothing_is_unreachable_within_seconds(settings: Settings) -> None:
    held: list[asyncio.StreamWriter] = []

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="does not answer"):
            await connect(settings.model_copy(update={"temporal_address": f"127.0.0.1:{port}"}))
        for writer in held:
            writer.close()


async def test_variables_of_temporal_win_over_the_settings(
    settings: Settings, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_client.service_client.config.target_host)
    connected = await connect(settings.model_copy(update={"temporal_address": "127.0.0.1:1"}))
    assert connected.namespace == "default"


async def test_an_unreadable_configuration_of_temporal_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_PROFILE", "missing")
    with pytest.raises(InvalidInput, match="'missing' not found"):
        await connect(settings)
