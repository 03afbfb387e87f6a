"""Single attempts of activities, on what an earlier one has left behind or Redis has not answered."""

import asyncio
import dataclasses
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.guardrails import GuardrailActivities
from activities.llm import LlmActivities
from activities.tools import ToolActivities
from surefoot.contracts.breakers import BreakerState, Permit, Verdict
from surefoot.contracts.budgets import Charge, HoldTimes, ScopeStatus
from surefoot.contracts.conversation import UserMessage
from surefoot.contracts.guardrails import Answer, GuardrailRequest, PromptSize
from surefoot.contracts.models import ModelCall, ModelReply, Prompt
from surefoot.contracts.tools import Claim, ToolCall
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.embedded.redis import Redis, start_redis
from surefoot.errors import CallFailed, ModelFailed, detail
from surefoot.llm.pricing import GenaiPricing
from surefoot.llm.providers import providers
from surefoot.ports import Addition, Proceed, Receipt
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from surefoot.reliability.streams import RedisTextStream
from surefoot.reliability.transcripts import RedisTranscripts
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from surefoot.tools.registry import ToolRegistry
from tests.reliability.given import CENT, NEVER_ON_COUNT, held, reservation, session

SHORT = timedelta(milliseconds=1500)
PATIENCE = timedelta(seconds=1)
"""The timeout of guards whose Redis hangs for a while, and which it must answer in time after that."""
PRO, FLASH = "gemini:gemini-2.5-pro", "gemini:gemini-2.5-flash"
ARGUMENTS = {
    "issue_refund": {"order_id": "A-1001", "amount": "25.00", "reason": "broken"},
    "create_order": {"product": "mug", "quantity": 1},
    "send_email": {"to": "ada@example.com", "subject": "Hello", "body": "Hello"},
}


@pytest.fixture
async def freezing(tmp_path: Path) -> AsyncIterator[Redis]:
    server = await start_redis(log=tmp_path / "redis.log", folder=None)
    yield server
    server.child.kill()


def call_of(tools: ToolRegistry, name: str, *, attempts: int) -> ToolCall:
    contract = tools[name].contract().model_copy(update={"deadline": SHORT, "attempts": attempts})
    return ToolCall(id="c", contract=contract, arguments=ARGUMENTS[name], effect_key="effect", tenant="acme")


def environment(attempt: int) -> ActivityEnvironment:
    found = ActivityEnvironment()
    found.info = dataclasses.replace(found.info, attempt=attempt)
    return found


async def died(guards: RedisGuards, call: ToolCall, *, lands_within: timedelta) -> None:
    """What an attempt leaves whose worker died in mid-call."""
    info = environment(1).info
    entry = await guards.begin_tool_call(
        tool=call.contract.name,
        breaker=call.contract.breaker,
        effect_key=call.effect_key,
        owner=f"{info.workflow_run_id}/{info.activity_id}",
        attempt=1,
        lease=timedelta(seconds=5),
        mark_sent=True,
        lands_within=lands_within,
    )
    assert isinstance(entry, Proceed)


async def unheard(count: int, sending: bool) -> None:
    """No server stands behind a single attempt."""
    activity.heartbeat(count, sending)


async def made(tools: ToolRegistry, guards: RedisGuards, call: ToolCall, attempt: int) -> object:
    activities = dict(zip(tools, ToolActivities(tools, guards, tell=unheard).activities(), strict=True))
    return await environment(attempt).run(activities[call.contract.name], call)


async def test_a_keyed_call_whose_last_attempt_died_is_not_known_to_have_failed(
    tools: ToolRegistry, guards: RedisGuards
) -> None:
    call = call_of(tools, "create_order", attempts=1)
    await died(guards, call, lands_within=timedelta(milliseconds=1))
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 2)
    assert failed.value.type == "OutcomeUnknown"


async def test_a_request_that_leaves_after_a_look_up_may_land_as_late_as_any_other(
    tools: ToolRegistry, guards: RedisGuards, simulator: SimulatorClient
) -> None:
    call = call_of(tools, "issue_refund", attempts=3)
    await died(guards, call, lands_within=timedelta(milliseconds=1))
    await asyncio.sleep(0.01)
    asking = timedelta(milliseconds=400)
    await simulator.fault("refunds", "latency", seconds=asking, count=1)
    await simulator.fault("refunds", "hang", operation="issue_refund", count=1)
    began = datetime.now(UTC)
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 2)
    assert failed.value.type == "ToolRetryable"

    shown = await guards.ledger.show(call.effect_key)
    assert shown is not None
    assert shown["attempts"] == 2
    lands = datetime.fromisoformat(str(shown["lands"]))
    assert lands >= began + asking + SHORT + timedelta(seconds=1)


@pytest.mark.parametrize(("name", "kind"), [("send_email", "OutcomeUnknown"), ("issue_refund", "ToolRetryable")])
async def test_a_call_that_redis_forgot_is_not_made_while_its_run_remembers_a_doubt(
    tools: ToolRegistry, guards: RedisGuards, simulator: SimulatorClient, name: str, kind: str
) -> None:
    call = call_of(tools, name, attempts=3).model_copy(update={"in_doubt": True})
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 1)
    assert failed.value.type == kind
    assert await simulator.calls("mail") == await simulator.calls("refunds") == []


async def test_a_circuit_that_is_open_does_not_make_a_forgotten_doubt_go_away(
    tools: ToolRegistry, guards: RedisGuards, simulator: SimulatorClient
) -> None:
    call = call_of(tools, "send_email", attempts=1).model_copy(update={"in_doubt": True})
    await guards.breaker.force("send_email", BreakerState.FORCED_OPEN, "test", "t")
    kinds = []
    for state in (BreakerState.FORCED_OPEN, BreakerState.CLOSED):
        await guards.breaker.force("send_email", state, "test", state)
        with pytest.raises(ApplicationError) as failed:
            await made(tools, guards, call, 1)
        kinds.append(failed.value.type)
    assert kinds == ["OutcomeUnknown", "OutcomeUnknown"]
    assert await simulator.calls("mail") == []


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_a_call_that_redis_did_not_let_begin_is_made_later_as_if_for_the_first_time(
    tools: ToolRegistry, freezing: Redis, simulator: SimulatorClient, name: str
) -> None:
    guards = RedisGuards.connect(freezing.url, prefix="test", timeout=PATIENCE)
    call = call_of(tools, name, attempts=1)
    await guards.breaker.status(name)  # connected
    os.kill(freezing.child.pid, signal.SIGSTOP)
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 1)
    details = detail(failed.value, CallFailed)
    assert (failed.value.type, failed.value.non_retryable) == ("StoreUnavailable", True)
    assert details
    assert (details.unmade, details.maybe_done) == (1, False)

    os.kill(freezing.child.pid, signal.SIGCONT)  # which may claim and mark what was asked for before
    await made(tools, guards, call, 1)
    claim = await guards.ledger.show(call.effect_key)
    assert claim
    assert (claim["state"], claim["fence"]) == ("done", 1)
    await guards.close()


async def test_the_store_s_absence_leaves_the_doubt_of_an_earlier_attempt(
    tools: ToolRegistry, freezing: Redis, simulator: SimulatorClient
) -> None:
    guards = RedisGuards.connect(freezing.url, prefix="test", timeout=PATIENCE)
    call = call_of(tools, "issue_refund", attempts=3)
    await died(guards, call, lands_within=timedelta(milliseconds=1))
    os.kill(freezing.child.pid, signal.SIGSTOP)
    with pytest.raises(ApplicationError) as failed:
        await made(tools, guards, call, 2)
    details = detail(failed.value, CallFailed)
    assert details
    assert (details.unmade, details.maybe_done) == (2, True)

    os.kill(freezing.child.pid, signal.SIGCONT)
    await asyncio.sleep(0.01)
    again = call.model_copy(update={"in_doubt": True, "earlier_attempts": 1})
    await made(tools, guards, again, 1)
    assert [one.operation for one in await simulator.calls("refunds")] == ["lookup", "issue_refund"]
    await guards.close()


class Blinking(RedisGuards):
    """Guards whose Redis hangs for a moment just when a request is about to leave."""

    server: Redis

    async def mark_sent(self, claim: Claim, *, lands_within: timedelta) -> Claim:
        server, moment = self.server.child.pid, 1.5 * PATIENCE.total_seconds()
        os.kill(server, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(moment, os.kill, server, signal.SIGCONT)
        return await super().mark_sent(claim, lands_within=lands_within)


async def test_a_blip_of_redis_does_not_spend_the_only_attempt_of_an_unsafe_tool(
    tools: ToolRegistry, freezing: Redis, simulator: SimulatorClient
) -> None:
    guards = Blinking(Store.connect(freezing.url, timeout=PATIENCE), "test")
    guards.server = freezing
    call = call_of(tools, "send_email", attempts=1)
    await made(tools, guards, call, 1)
    assert len(await simulator.effects("mail")) == 1
    await guards.close()


async def books(guards: RedisGuards) -> ScopeStatus:
    scope = session()
    return await RedisOffice(guards.store, "test").budget("acme", scope.kind, scope.subject, scope.budget)


async def test_a_call_that_redis_did_not_let_begin_costs_nothing(settings: Settings, freezing: Redis) -> None:
    guards = RedisGuards.connect(freezing.url, prefix="test", timeout=PATIENCE)
    hold = held(await guards.reserve(reservation("h", CENT)))
    hold = hold.model_copy(update={"model": FLASH})
    prompt = Prompt(model=FLASH, system="Be kind.", messages=(UserMessage(text="Hello"),))
    ports = providers(settings)
    models = LlmActivities(ports, guards, GenaiPricing(), RedisTextStream(guards.store, "test"))
    await guards.begin_model_call(hold, 1, NEVER_ON_COUNT)  # the scripts are loaded
    os.kill(freezing.child.pid, signal.SIGSTOP)
    with pytest.raises(ApplicationError) as failed:
        await environment(2).run(models.generate, ModelCall(prompt=prompt, hold=hold, turn=1))
    os.kill(freezing.child.pid, signal.SIGCONT)
    assert failed.value.type == "StoreUnavailable"

    unsettled = ModelFailed.model_validate(failed.value.details[0]).unsettled
    for booking in unsettled:
        await guards.book(booking)
    status = await books(guards)
    assert (status.held, status.settled) == (0, CENT)  # the first attempt's, whose outcome nobody told
    await ports.aclose()
    await guards.close()


async def test_a_conversation_that_cannot_be_read_is_sent_whole_although_the_guards_answer(
    settings: Settings, guards: RedisGuards, freezing: Redis, prefix: str
) -> None:
    """As where one node of a cluster is away: waiting for the guards would be no waiting at all."""
    elsewhere = Store.connect(freezing.url, timeout=timedelta(milliseconds=200))
    kept = TranscriptRef(key="run", length=4, digest="d" * 32)
    hold = held(await guards.reserve(reservation("h", CENT))).model_copy(update={"model": FLASH})
    call = ModelCall(prompt=Prompt(model=FLASH, system="", messages=()), transcript=kept, hold=hold, turn=1)
    ports, words = providers(settings), RedisTextStream(guards.store, prefix)
    models = LlmActivities(
        ports, guards, GenaiPricing(), words, transcripts=RedisTranscripts(elsewhere, "test", at_hand=0)
    )
    os.kill(freezing.child.pid, signal.SIGSTOP)
    with pytest.raises(ApplicationError, match="the first 4 messages could not be read: Redis at") as failed:
        await environment(1).run(models.generate, call)
    os.kill(freezing.child.pid, signal.SIGCONT)
    assert failed.value.type == "TranscriptMissing"
    scope = session()
    status = await RedisOffice(guards.store, prefix).budget("acme", scope.kind, scope.subject, scope.budget)
    assert (status.held, status.settled) == (0, 0)
    await ports.aclose()
    await elsewhere.close()


async def test_an_attempt_tells_what_those_before_it_have_cost(
    settings: Settings, guards: RedisGuards, simulator: SimulatorClient
) -> None:
    ports = providers(settings)
    models = LlmActivities(ports, guards, GenaiPricing(), RedisTextStream(guards.store, "test"))

    async def second_attempt(words: str) -> ModelReply:
        hold = held(await guards.reserve(reservation(words, CENT))).model_copy(update={"model": FLASH})
        prompt = Prompt(model=FLASH, system="Be kind.", messages=(UserMessage(text=words),))
        second = environment(2)
        second.info = dataclasses.replace(second.info, heartbeat_details=[0, False, {"cost": 7}])
        second.on_heartbeat = lambda *details: beats.append(details[2])
        return await second.run(models.generate, ModelCall(prompt=prompt, hold=hold, turn=1))

    beats: list[dict[str, int]] = []
    reply = await second_attempt("Hello")
    assert reply.cost > 0
    assert reply.earlier_cost == 7
    with pytest.raises(ApplicationError) as blocked:
        await second_attempt("[[block]]")
    cost = ModelFailed.model_validate(blocked.value.details[0]).cost
    assert cost > 7
    assert beats[-1]["cost"] == cost
    await ports.aclose()


class Vanishing(RedisGuards):
    """Guards whose Redis hangs from the moment when a model call has ended."""

    server: Redis

    async def end_model_call(
        self,
        permit: Permit,
        verdict: Verdict,
        retry_after: timedelta | None,
        charge: Charge | None,
        took: timedelta | None = None,
        said: Addition | None = None,
    ) -> Receipt:
        os.kill(self.server.child.pid, signal.SIGSTOP)
        return await super().end_model_call(permit, verdict, retry_after, charge, took, said)


async def test_a_refusal_that_redis_was_not_there_to_be_told_costs_nothing_once_it_is_back(
    settings: Settings, freezing: Redis, simulator: SimulatorClient
) -> None:
    guards = Vanishing(Store.connect(freezing.url, timeout=PATIENCE), "test")
    guards.server = freezing
    hold = held(await guards.reserve(reservation("h", CENT))).model_copy(update={"model": FLASH})
    await simulator.fault("gemini", "status", status=500)
    ports = providers(settings)
    models = LlmActivities(ports, guards, GenaiPricing(), RedisTextStream(guards.store, "test"))
    prompt = Prompt(model=FLASH, system="Be kind.", messages=(UserMessage(text="Hello"),))
    with pytest.raises(ApplicationError) as failed:
        await environment(1).run(models.generate, ModelCall(prompt=prompt, hold=hold, turn=1))
    os.kill(freezing.child.pid, signal.SIGCONT)
    assert failed.value.type == "StoreUnavailable"

    for booking in ModelFailed.model_validate(failed.value.details[0]).unsettled:
        await guards.book(booking)
    status = await books(guards)
    assert (status.held, status.settled) == (0, 0)
    assert (await guards.breaker.status(FLASH)).recent_failures == 1
    await ports.aclose()
    await guards.close()


async def test_a_line_that_an_expired_hold_crossed_is_told_although_the_model_is_out(
    redis_url: str, prefix: str
) -> None:
    times = HoldTimes(reserved=timedelta(seconds=5), sent=timedelta(milliseconds=20))
    guards = RedisGuards(Store.connect(redis_url, timeout=timedelta(seconds=2)), prefix, hold_times=times)
    limit = session(limit=10 * CENT, soft=50)
    lost = held(await guards.reserve(reservation("lost", 6 * CENT, scopes=(limit,))))
    await guards.begin_model_call(lost, 1, NEVER_ON_COUNT)
    await asyncio.sleep(0.05)
    await guards.breaker.force(PRO, BreakerState.FORCED_OPEN, "test", "t")
    request = GuardrailRequest(
        hold_id="next",
        tenant="acme",
        scopes=(limit,),
        ladder=(PRO,),
        fallback=(FLASH,),
        size=PromptSize(new_bytes=100, total_bytes=100),
        output_tokens=100,
    )
    decision = await ActivityEnvironment().run(GuardrailActivities(guards, GenaiPricing()).check, request)
    assert (decision.answer, decision.model) == (Answer.GO, FLASH)
    assert [crossing.line for crossing in decision.crossings] == ["soft"]
    await guards.close()
