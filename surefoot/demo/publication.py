"""Scene seven: a summary is rejected with feedback, written anew, approved, and published once."""

from surefoot.contracts.approvals import ApprovalDecision, ApprovalRequest, Verdict
from surefoot.demo.stage import Stage

TASK = "Research tides and publish a summary."
FEEDBACK = "Mention the moon, and be shorter."


async def publish(stage: Stage) -> None:
    started = await stage.surefoot.start(stage.request(TASK, "demo-research", "publish"))
    stage.show(started.run)
    first = await _asked(stage, started.run)
    stage.say("The agent wants to publish:")
    stage.quote(str(first.arguments.get("summary")))
    await _decide(stage, started.run, first, Verdict.REJECT, FEEDBACK)
    stage.say(f"Rejected: {FEEDBACK}")
    second = await _asked(stage, started.run, beside=first)
    stage.quote(str(second.arguments.get("summary")))
    stage.hold(second.arguments != first.arguments, "the agent took the feedback and wrote another one")
    await _decide(stage, started.run, second, Verdict.APPROVE)
    result = await stage.surefoot.result(started.run)
    published = await stage.shop.effects("publish")
    stage.hold(
        [effect.body for effect in published] == [second.arguments],
        "approved, and published once, exactly as it was approved",
        published,
    )
    stage.quote(result.text)


async def _asked(stage: Stage, run: str, beside: ApprovalRequest | None = None) -> ApprovalRequest:
    async def open_requests() -> list[ApprovalRequest]:
        progress = await stage.surefoot.progress(run)
        return [request for request in progress.approvals if beside is None or request.id != beside.id]

    return (await stage.until(open_requests, "a request for approval"))[0]


async def _decide(stage: Stage, run: str, request: ApprovalRequest, verdict: Verdict, feedback: str = "") -> None:
    decision = ApprovalDecision(request_id=request.id, verdict=verdict, by="the demo", feedback=feedback)
    await stage.surefoot.decide(run, decision)
