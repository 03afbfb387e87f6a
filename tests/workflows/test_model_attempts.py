"""Single attempts of model calls, on what an earlier one has left behind or Redis has not answered."""

import asyncio
import dataclasses
import os
import signal
from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.guardrails import GuardrailActivities
from activities.llm import LlmActivities
from surefoot.contracts.breakers import BreakerState
from surefoot.contracts.budgets import HoldTimes
from surefoot.contracts.conversation import UserMessage
from surefoot.contracts.guardrails import Answer, GuardrailRequest, PromptSize
from surefoot.contracts.models import ModelCall, ModelReply, Prompt
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.embedded.redis import Redis
from surefoot.errors import ModelFailed
from surefoot.llm.pricing import GenaiPricing
from surefoot.llm.providers import providers
from surefoot.ports import Receipt
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.store import Store
from surefoot.reliability.streams import RedisTextStream
from surefoot.reliability.transcripts import RedisTranscripts
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.reliability.given import CENT, NEVER_ON_COUNT, books, held, reservation, session
from tests.workflows.test_attempts import PATIENCE, environment

PRO, FLASH = "gemini:gemini-2.5-pro", "gemini:gemini-2.5-flash"


async def test_a_call_that_redis_did_not_let_begin_costs_nothing(settings: Settings, redis: Redis) -> None:
    guards = RedisGuards.connect(redis.url, prefix="test", timeout=PATIENCE)
    hold = held(await guards.reserve(reservation("h", CENT)))
    hold = hold.model_copy(update={"model": FLASH})
    prompt = Prompt(model=FLASH, system="Be kind.", messages=(UserMessage(text="Hello"),))
    ports = providers(settings)
    models = LlmActivities(ports, guards, GenaiPricing(), RedisTextStream(guards.store, "test"))
    await guards.begin_model_call(hold, 1, NEVER_ON_COUNT)  # the scripts are loaded
    os.kill(redis.child.pid, signal.SIGSTOP)
    with pytest.raises(ApplicationError) as failed:
        await environment(2).run(models.generate, ModelCall(prompt=prompt, hold=hold, turn=1))
    os.kill(redis.child.pid, signal.SIGCONT)
    assert failed.value.type == "StoreUnavailable"

    unsettled = ModelFailed.model_validate(failed.value.details[0]).unsettled
    for booking in unsettled:
        await guards.book(booking)
    status = await books(guards, "test")
    assert (status.held, status.settled) == (0, CENT)  # the first attempt's, whose outcome nobody told
    await ports.aclose()
    await guards.close()


async def test_a_conversation_that_cannot_be_read_is_sent_whole_although_the_guards_answer(
    settings: Settings, guards: RedisGuards, redis: Redis, prefix: str
) -> None:
    """As where one node of a cluster is away: waiting for the guards would be no waiting at all."""
    elsewhere = Store.connect(redis.url, timeout=timedelta(milliseconds=200))
    kept = TranscriptRef(key="run", length=4, digest="d" * 32)
    hold = held(await guards.reserve(reservation("h", CENT))).model_copy(update={"model": FLASH})
    call = ModelCall(prompt=Prompt(model=FLASH, system="", messages=()), transcript=kept, hold=hold, turn=1)
    ports, words = providers(settings), RedisTextStream(guards.store, prefix)
    models = LlmActivities(
        ports, guards, GenaiPricing(), words, transcripts=RedisTranscripts(elsewhere, "test", at_hand=0)
    )
    os.kill(redis.child.pid, signal.SIGSTOP)
    with pytest.raises(ApplicationError, match="the first 4 messages could not be read: Redis at") as failed:
        await environment(1).run(models.generate, call)
    os.kill(redis.child.pid, signal.SIGCONT)
    assert failed.value.type == "TranscriptMissing"
    status = await books(guards, prefix)
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

    async def end_model_call(self, *given: Any, **named: Any) -> Receipt:  # noqa: ANN401
        os.kill(self.server.child.pid, signal.SIGSTOP)
        return await super().end_model_call(*given, **named)


async def test_a_refusal_that_redis_was_not_there_to_be_told_costs_nothing_once_it_is_back(
    settings: Settings, redis: Redis, simulator: SimulatorClient
) -> None:
    guards = Vanishing(Store.connect(redis.url, timeout=PATIENCE), "test")
    guards.server = redis
    hold = held(await guards.reserve(reservation("h", CENT))).model_copy(update={"model": FLASH})
    await simulator.fault("gemini", "status", status=500)
    ports = providers(settings)
    models = LlmActivities(ports, guards, GenaiPricing(), RedisTextStream(guards.store, "test"))
    prompt = Prompt(model=FLASH, system="Be kind.", messages=(UserMessage(text="Hello"),))
    with pytest.raises(ApplicationError) as failed:
        await environment(1).run(models.generate, ModelCall(prompt=prompt, hold=hold, turn=1))
    os.kill(redis.child.pid, signal.SIGCONT)
    assert failed.value.type == "StoreUnavailable"

    for booking in ModelFailed.model_validate(failed.value.details[0]).unsettled:
        await guards.book(booking)
    status = await books(guards, "test")
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
