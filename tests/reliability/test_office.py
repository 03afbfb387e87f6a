"""What operators read."""

from surefoot.contracts.breakers import BreakerState, Verdict
from surefoot.contracts.budgets import BudgetLimit, ScopeKind
from surefoot.ports import Fate
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from tests.reliability.given import CENT, DOLLAR, TRIPS_AT_ONCE, begin, proceeding, reservation


async def test_breakers_are_listed_by_name_with_their_reasons(guards: RedisGuards, prefix: str) -> None:
    _, permit = proceeding(await begin(guards, breaker=TRIPS_AT_ONCE))
    await guards.breaker.report(permit, Verdict.FAILURE, None)
    await guards.breaker.force("emails", BreakerState.DISABLED, "noisy", "act")
    listed = await RedisOffice(guards.store, prefix).breakers()
    assert [(status.name, status.state, status.reason) for status in listed] == [
        ("emails", BreakerState.DISABLED, "noisy"),
        ("orders", BreakerState.OPEN, "1 failures in a row"),
    ]


async def test_a_prefix_without_breakers_lists_none(guards: RedisGuards, prefix: str) -> None:
    assert await RedisOffice(guards.store, prefix).breakers() == ()


async def test_the_books_of_a_scope_are_shown_against_the_given_limit(guards: RedisGuards, prefix: str) -> None:
    await guards.reserve(reservation("h1", CENT))
    status = await RedisOffice(guards.store, prefix).budget(
        "acme", ScopeKind.SESSION, "s1", BudgetLimit(limit=DOLLAR, soft_percent=50)
    )
    assert (status.held, status.settled, status.limit, status.soft_line) == (CENT, 0, DOLLAR, DOLLAR // 2)
    assert (status.window, status.resets_at) == ("forever", None)


async def test_a_claim_is_shown_with_its_state_and_result(guards: RedisGuards, prefix: str) -> None:
    office = RedisOffice(guards.store, prefix)
    assert await office.claim("effect") is None
    claim, _ = proceeding(await begin(guards, mark_sent=True))
    sent = await office.claim("effect")
    await guards.complete_tool_call(claim, {"order": "A-1"}, None)
    done = await office.claim("effect")
    assert sent is not None
    assert done is not None
    assert (sent["state"], sent["owner"], sent["attempts"], "lease" in sent) == ("sent", "run/1", 1, True)
    assert (done["state"], done["result"], "lease" in done) == ("done", {"order": "A-1"}, False)


async def test_an_unknown_outcome_is_shown_as_such(guards: RedisGuards, prefix: str) -> None:
    claim, permit = proceeding(await begin(guards, mark_sent=True))
    await guards.fail_tool_call(claim, permit, Verdict.NEUTRAL, None, fate=Fate.UNKNOWN)
    shown = await RedisOffice(guards.store, prefix).claim("effect")
    assert shown is not None
    assert shown["state"] == "unknown"
