"""Approvals across runs, and deciding them."""

import pytest
from temporalio.worker import Worker

from surefoot.client import SurefootClient
from surefoot.contracts.approvals import ApprovalDecision, Verdict
from surefoot.errors import InvalidInput, NotFound
from tests.client.conftest import Ask
from tests.support.waiting import until


def decision(**more: object) -> ApprovalDecision:
    return ApprovalDecision.model_validate({"request_id": "ask-1", "verdict": "approve", "by": "ann", **more})


async def waiting(client: SurefootClient, run: str) -> None:
    async def asked() -> bool:
        return (await client.describe(run)).waiting == "approval"

    await until(asked)


async def test_open_approvals_are_found_across_runs_and_gone_once_decided(
    client: SurefootClient, worker: Worker, ask: Ask, unique: str
) -> None:
    runs = {(await client.start(ask("ask", key, tenant=unique))).run for key in ("a", "b")}

    async def found(wanted: set[str]) -> bool:
        return {one.run for one in (await client.approvals(tenant=unique)).approvals} == wanted

    await until(lambda: found(runs))
    decided, left = sorted(runs)
    outcome = await client.decide(decided, decision())
    assert (outcome.verdict, outcome.by) == (Verdict.APPROVE, "ann")
    await until(lambda: found({left}))


async def test_runs_that_cannot_be_asked_are_named(
    hasty: SurefootClient, ask: Ask, worker: Worker, unique: str
) -> None:
    run = (await hasty.start(ask("ask", tenant=unique))).run
    await waiting(hasty, run)
    await worker.shutdown()

    async def silent() -> bool:
        return (await hasty.approvals(tenant=unique)).silent == (run,)

    await until(silent)


async def test_edited_arguments_reach_the_run(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    run = (await client.start(ask("ask"))).run
    await waiting(client, run)
    await client.decide(run, decision(arguments={"summary": "better"}))
    assert (await client.result(run)).text == "approve by ann: better"


async def test_a_decision_about_another_question_is_refused(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    run = (await client.start(ask("ask"))).run
    await waiting(client, run)
    with pytest.raises(InvalidInput, match="'other' is not open"):
        await client.decide(run, decision(request_id="other"))


async def test_a_run_that_has_ended_takes_no_decision(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    run = (await client.start(ask("say done"))).run
    await client.result(run)
    with pytest.raises(NotFound, match="ended already"):
        await client.decide(run, decision())


async def test_the_only_open_question_needs_no_id(client: SurefootClient, worker: Worker, ask: Ask) -> None:
    run = (await client.start(ask("ask"))).run
    await waiting(client, run)
    assert (await client.open_request(run)).id == "ask-1"
    with pytest.raises(NotFound, match="'other'"):
        await client.open_request(run, "other")
    await client.decide(run, decision())
    with pytest.raises(NotFound, match="no open approval"):
        await client.open_request(run)
