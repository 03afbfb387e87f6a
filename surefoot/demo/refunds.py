"""Scenes one to three: a refund is given, asked for again, and survives the death of its worker."""

from datetime import timedelta

from surefoot.contracts.runs import IdempotencyStatus
from surefoot.demo.stage import Stage
from surefoot.embedded.processes import Child
from surefoot.rehearsal import Broken

COMPLAINT = "My order A-1001 arrived broken, I want my money back. ada@example.com"
OTHER_COMPLAINT = "My order A-1002 arrived damaged, please refund it. grace@example.com"


async def answer(stage: Stage) -> None:
    started = await stage.surefoot.start(stage.request(COMPLAINT, "demo-support", "money-back"))
    stage.say(f"Customer: {COMPLAINT}")
    stage.show(started.run)
    result = await stage.surefoot.result(started.run)
    stage.quote(result.text)
    called = ", ".join(result.tools_called)
    stage.hold(
        sorted(result.tools_called) == ["issue_refund", "look_up_customer", "look_up_order"],
        f"{result.turns} turns; tools: {called}; ${result.usage.cost} spent",
        result.tools_called,
    )
    refunds = await stage.shop.effects("refunds")
    stage.hold(len(refunds) == 1, "the shop's effect log shows 1 refund", len(refunds))


async def repeat(stage: Stage) -> None:
    before = len(await stage.shop.calls())
    result = await stage.surefoot.run(stage.request(COMPLAINT, "demo-support", "money-back"))
    after = len(await stage.shop.calls())
    stage.hold(
        result.idempotency_status is IdempotencyStatus.CACHE_HIT,
        f"same key, same answer: {result.idempotency_status}",
        result.idempotency_status,
    )
    stage.hold(after == before, f"{after - before} calls to models and back ends", after - before)
    refunds = await stage.shop.effects("refunds")
    stage.hold(len(refunds) == 1, "still 1 refund", len(refunds))


async def lose_a_worker(stage: Stage) -> None:
    # The shop refunds and then falls silent, so that the worker is in mid-call for sure when it is killed.
    await stage.shop.fault("refunds", "stall", operation="issue_refund", count=1)
    started = await stage.surefoot.start(stage.request(OTHER_COMPLAINT, "demo-support", "killed"))
    stage.show(started.run)
    await stage.until(lambda: _refunds(stage), "the second refund")
    worker = await _at_work(stage, started.run)
    await stage.stack.kill_worker(worker)
    stage.say(f"The money has left; {worker.name} (process {worker.pid}) is killed with SIGKILL before it could tell.")
    result = await stage.surefoot.result(started.run)
    stage.hold(
        result.tools_called.count("issue_refund") == 1,
        "another worker went on, asked the shop by the refund's key, and took its answer",
        result.tools_called,
    )
    refunds = [effect for effect in await stage.shop.effects("refunds") if effect.body.get("order_id") == "A-1002"]
    stage.hold(len(refunds) == 1, "1 refund for A-1002 in the effect log", len(refunds))
    posted = [call for call in await stage.shop.calls("refunds") if call.operation == "issue_refund"]
    stage.hold(len(posted) == 2, "the shop was asked for a refund twice in all scenes, once a customer", len(posted))
    await stage.start_worker()


async def _refunds(stage: Stage) -> bool:
    return len(await stage.shop.effects("refunds")) == 2


async def _at_work(stage: Stage, run: str) -> Child:
    """The worker process that performs the run's pending activity, as Temporal knows it."""
    handle = stage.temporal.get_workflow_handle(run)
    described = await handle.describe(rpc_timeout=timedelta(seconds=5))
    for pending in described.raw_description.pending_activities:
        pid = pending.last_worker_identity.partition("@")[0]
        for worker in stage.stack.workers:
            if str(worker.pid) == pid:
                return worker
    raise Broken("no worker is at work on the refund")
