"""Every script of the guards, called the way that the guards call it."""

import asyncio
from datetime import timedelta

from surefoot.contracts.breakers import BreakerState, Sign, Verdict
from surefoot.contracts.budgets import BudgetWindow
from surefoot.contracts.conversation import UserMessage
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.ports import Addition, Fate
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.routes import RedisRoutes
from surefoot.reliability.streams import RedisTextStream
from tests.reliability.given import (
    CENT,
    LEASE,
    NEVER_ON_COUNT,
    QUICK,
    SHORT,
    act,
    begin,
    charge,
    held,
    permit,
    proceeding,
    reservation,
    session,
    tenant,
)

POLICY = NEVER_ON_COUNT.model_copy(update={"by_tenant": True})


async def use_everything(guards: RedisGuards, prefix: str, name: str) -> None:
    """Each method of the guards, their office and the stream, at least once, with a name in every key."""
    await _spend(guards, name)
    await _perform(guards, name)
    await _trip(guards, name)
    await _operate(RedisOffice(guards.store, prefix), name)
    await _lead_around(RedisRoutes(guards.store, prefix), name)
    await RedisTextStream(guards.store, prefix).publish(name, 1, "word")


async def _spend(guards: RedisGuards, name: str) -> None:
    scopes = (session(subject=name, window=BudgetWindow.DAY), tenant(10**12))
    hold = held(await guards.reserve(reservation(f"h1 {name}", CENT, scopes=scopes, look_at=name, own=True)))
    entry = await guards.begin_model_call(hold, 1, POLICY)
    said = Addition(TranscriptRef(key=name), (UserMessage(text="word"),))
    await guards.end_model_call(permit(entry), Verdict.SUCCESS, None, charge(hold, 2 * CENT), said=said)
    refused = held(await guards.reserve(reservation(f"h2 {name}", CENT, scopes=scopes)))
    await guards.breaker.force(POLICY.name_for(refused.model, "acme"), BreakerState.FORCED_OPEN, "on purpose", "trip")
    await guards.begin_model_call(refused, 1, POLICY)
    await guards.release(refused)
    await guards.close_hold(refused)


async def _perform(guards: RedisGuards, name: str) -> None:
    claim, ticket = proceeding(await begin(guards, name, breaker=POLICY, tenant=name))
    claim = await guards.mark_sent(claim, lands_within=LEASE)
    await guards.renew(claim, LEASE)
    await guards.follow(name, timedelta(milliseconds=1))
    await guards.fail_tool_call(claim, ticket, Verdict.FAILURE, None, fate=Fate.CLEAR)
    done, _ = proceeding(await begin(guards, f"{name}2", owner="run/2"))
    await guards.complete_tool_call(done, {"order": 1}, None)
    await begin(guards, f"{name}3", owner="run/3", lease=SHORT, mark_sent=True, lands_within=SHORT)
    await asyncio.sleep(SHORT.total_seconds() + 0.01)


async def _trip(guards: RedisGuards, name: str) -> None:
    """Opened, probed, closed; an effect taken over in doubt, and one left unknown."""
    open_for = timedelta(seconds=1)  # however busy the machine is, whoever begins next finds it open
    policy = QUICK.model_copy(update={"opens_on": tuple(Sign), "calls": 1, "open_for": open_for})
    claim, ticket = proceeding(await begin(guards, f"{name}4", owner="run/4", breaker=policy, mark_sent=True))
    await guards.fail_tool_call(claim, ticket, Verdict.FAILURE, None, fate=Fate.DOUBT)
    await begin(guards, f"{name}4", owner="run/5", breaker=policy)
    await asyncio.sleep(open_for.total_seconds() + 0.01)
    claim, probe = proceeding(await begin(guards, f"{name}4", owner="run/5", attempt=2, breaker=policy))
    await guards.fail_tool_call(claim, probe, Verdict.SUCCESS, None, fate=Fate.UNKNOWN, took=SHORT)
    throttled, ticket = proceeding(await begin(guards, f"{name}5", breaker=policy))
    await guards.fail_tool_call(throttled, ticket, Verdict.THROTTLED, None, fate=Fate.RELEASED)


async def _operate(office: RedisOffice, name: str) -> None:
    scope = session(subject=name, window=BudgetWindow.DAY)
    whose = ("acme", scope.kind, scope.subject, scope.budget)
    await office.breakers()
    await office.reset_breaker(name, act("close"))
    await office.budget(*whose)
    await office.set_budget(*whose, CENT, act("set"))
    await office.top_up(*whose, CENT, act("top up"))
    await office.reset_budget(*whose, act("reset"))
    await office.acts("acme", scope.kind, scope.subject)
    await office.settle_not_done(f"{name}3", act("settle"))
    await office.claim(name)


async def _lead_around(routes: RedisRoutes, name: str) -> None:
    await routes.put("scripted:m1", "scripted:m2", name, LEASE)
    await routes.renew("scripted:m1", name, LEASE)
    await routes.routes()
    await routes.drop("scripted:m1", name)
