"""What a run has claimed before it went on in a new history is found there, and is nobody else's afterwards."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.approvals import ApprovalRequest, Verdict
from surefoot.contracts.breakers import BreakerPolicy
from surefoot.ports import Proceed
from surefoot.reliability.guards import RedisGuards
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.redis import ask_redis
from tests.support.waiting import until
from tests.workflows.at_length import library, reading
from tests.workflows.conftest import Ask
from tests.workflows.test_approvals import decision, opened
from tests.workflows.test_continued import histories
from tests.workflows.test_continued_waiting import asked_anew, order, reads, results

MAIL = 'send_email {"to": "ann@example.org", "subject": "Mugs", "body": "They are here."}'


@pytest.fixture
async def archive(settings: Settings, temporal_client: Client) -> AsyncIterator[SurefootClient]:
    async with library(settings, temporal_client) as surefoot:
        yield surefoot


async def claimed(guards: RedisGuards, asked: ApprovalRequest, *, owner: str, lease: timedelta) -> Proceed:
    """Somebody works on what people are asked about: the request has left, and nothing is known of it."""
    entry = await guards.begin_tool_call(
        tool=asked.tool,
        breaker=BreakerPolicy(),
        effect_key=asked.effect_key,
        owner=owner,
        attempt=1,
        lease=lease,
        mark_sent=True,
        lands_within=timedelta(milliseconds=1),
    )
    assert isinstance(entry, Proceed)
    return entry


async def followed(redis_url: str, prefix: str, asked: ApprovalRequest) -> None:
    """Wait until somebody waits for what the claim's holder will do."""
    key = f"{prefix}:ledger:{{{asked.effect_key}}}:followers"

    async def waits() -> bool:
        return await ask_redis(redis_url, f"EXISTS {key}") == ":1"

    await until(waits)


async def test_a_call_that_somebody_else_makes_meanwhile_is_waited_for(
    archive: SurefootClient,
    guards: RedisGuards,
    simulator: SimulatorClient,
    ask: Ask,
    redis_url: str,
    prefix: str,
) -> None:
    started = await archive.start(ask(f"[[parallel {order('mug')} {reads()}]]", "committee"))
    (asked,) = await asked_anew(archive, started.run)
    held = await claimed(guards, asked, owner="another run/1", lease=timedelta(seconds=30))
    await archive.decide(started.run, decision(asked, Verdict.APPROVE))
    await followed(redis_url, prefix, asked)
    await guards.complete_tool_call(held.claim, {"order_id": "A-77"}, held.permit)
    await archive.result(started.run)
    assert "A-77" in (await results(archive, started.run))[0]
    assert await simulator.effects("orders") == []
    await histories(archive.temporal, started.run)


@pytest.mark.parametrize(
    ("call", "target", "words"),
    [(order("mug"), "orders", "mug"), (MAIL, "mail", "It is not known whether")],
    ids=["keyed", "unsafe"],
)
async def test_a_dead_claim_of_the_history_before_is_not_taken_for_the_run_s_own(
    archive: SurefootClient,
    guards: RedisGuards,
    simulator: SimulatorClient,
    ask: Ask,
    redis_url: str,
    prefix: str,
    call: str,
    target: str,
    words: str,
) -> None:
    started = await archive.start(ask(f"[[parallel {call} {reads()}]]", "committee"))
    (asked,) = await asked_anew(archive, started.run)
    newest, before = await histories(archive.temporal, started.run)
    await claimed(guards, asked, owner=f"{before.run_id}/1", lease=timedelta(seconds=2))
    await archive.decide(started.run, decision(asked, Verdict.APPROVE))
    await followed(redis_url, prefix, asked)  # not taken over at once, as an activity's own would be
    await archive.result(started.run)

    assert words in (await results(archive, started.run))[0]
    done = await simulator.effects(target)
    assert [effect.key for effect in done] == ([asked.effect_key] if target == "orders" else [])
    shown = await guards.ledger.show(asked.effect_key)
    assert shown is not None
    assert shown["owner"] == f"{newest.run_id}/1"
    assert shown["state"] == ("done" if target == "orders" else "unknown")


async def test_a_call_that_ended_unknown_is_not_made_again_after_the_new_history_began(
    archive: SurefootClient, simulator: SimulatorClient, ask: Ask
) -> None:
    await simulator.fault("mail", "apply_then_lose", count=1)
    script = f"[[call {MAIL}]] {reading(12, size=100)} [[call {MAIL}]]"
    started = await archive.start(ask(script, "committee"))
    first = await opened(archive, started.run)
    await archive.decide(started.run, decision(first, Verdict.APPROVE))
    again = await opened(archive, started.run, beside=first.id)
    assert again.effect_key == first.effect_key
    await archive.decide(started.run, decision(again, Verdict.APPROVE))
    await archive.result(started.run)

    told = await results(archive, started.run)
    assert [bool(re.match("It is not known whether", words)) for words in (told[0], told[-1])] == [True, True]
    assert len(await simulator.effects("mail")) == 1
    assert len(await histories(archive.temporal, started.run)) > 1
