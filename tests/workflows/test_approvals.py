"""The human gate, end to end."""

import pytest

from surefoot.client import SurefootClient
from surefoot.contracts.approvals import ApprovalDecision, ApprovalRequest, Verdict
from surefoot.contracts.conversation import ToolMessage
from surefoot.contracts.runs import Phase
from surefoot.errors import InvalidInput
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History

PUBLISH = "Research tides and publish a summary."


async def opened(surefoot: SurefootClient, run: str, *, beside: str = "") -> ApprovalRequest:
    """Wait for the run's approval request, another one than ``beside``."""

    async def requests() -> list[ApprovalRequest]:
        progress = await surefoot.progress(run)
        assert progress.phase is not Phase.ENDED
        return [request for request in progress.approvals if request.id != beside]

    return (await until(requests))[0]


def decision(request: ApprovalRequest, verdict: Verdict, **given: object) -> ApprovalDecision:
    return ApprovalDecision.model_validate({"request_id": request.id, "verdict": verdict, "by": "ada", **given})


async def test_a_rejected_publication_is_written_anew_and_published_once(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    started = await surefoot.start(ask(PUBLISH, "research"))
    first = await opened(surefoot, started.run)
    assert await simulator.effects("publish") == []
    await surefoot.decide(started.run, decision(first, Verdict.REJECT, feedback="Mention the moon."))
    second = await opened(surefoot, started.run, beside=first.id)
    assert second.arguments != first.arguments
    outcome = await surefoot.decide(started.run, decision(second, Verdict.APPROVE))
    result = await surefoot.result(started.run)

    assert outcome.by == "ada"
    assert result.tools_called == ("search", "publish_summary")
    published = await simulator.effects("publish")
    assert [effect.body for effect in published] == [second.arguments]
    await history(started.run)


async def test_edited_arguments_are_what_is_published(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    started = await surefoot.start(ask(PUBLISH, "research"))
    request = await opened(surefoot, started.run)
    edited = {**request.arguments, "title": "Tides, edited"}
    await surefoot.decide(started.run, decision(request, Verdict.APPROVE, arguments=edited))
    await surefoot.result(started.run)

    assert [effect.body for effect in await simulator.effects("publish")] == [edited]
    await history(started.run)


async def test_a_decision_about_something_else_is_refused(surefoot: SurefootClient, ask: Ask) -> None:
    started = await surefoot.start(ask(PUBLISH, "research"))
    request = await opened(surefoot, started.run)
    stale = request.model_copy(update={"id": "0000000000000000"})
    with pytest.raises(InvalidInput, match="no open approval request"):
        await surefoot.decide(started.run, decision(stale, Verdict.APPROVE))
    with pytest.raises(InvalidInput, match="titel"):
        await surefoot.decide(started.run, decision(request, Verdict.APPROVE, arguments={"titel": "Tides"}))

    await surefoot.decide(started.run, decision(request, Verdict.APPROVE))
    with pytest.raises(InvalidInput, match="no open approval request"):
        await surefoot.decide(started.run, decision(request, Verdict.REJECT))
    assert (await surefoot.result(started.run)).tools_called == ("search", "publish_summary")


async def test_an_approval_that_nobody_gives_expires_and_nothing_is_published(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History
) -> None:
    started = await surefoot.start(ask(PUBLISH, "impatient"))
    result = await surefoot.result(started.run)
    conversation = await surefoot.conversation(started.run)

    told = [message.content for message in conversation.messages if isinstance(message, ToolMessage)]
    assert "Nobody approved" in told[-1]
    assert await simulator.effects("publish") == []
    assert any("approval_expired" in incident for incident in result.incidents)
    await history(started.run)


async def test_a_waiting_run_is_found_by_its_approval(surefoot: SurefootClient, ask: Ask) -> None:
    request = ask(PUBLISH, "research")
    started = await surefoot.start(request)
    await opened(surefoot, started.run)
    waiting = await until(lambda: surefoot.runs(session=request.session, waiting="approval"))
    assert [view.run for view in waiting] == [started.run]
    await surefoot.cancel(started.run)
