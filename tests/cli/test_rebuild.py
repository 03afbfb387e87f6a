"""A session's spending from its runs' histories, beside what Redis says."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.worker import Worker

from surefoot.client import SurefootClient
from surefoot.contracts.breakers import BreakerPolicy, Verdict
from surefoot.contracts.budgets import BudgetLimit, Charge, Scope, ScopeKind
from surefoot.ports import Admitted, Reservation, Rung
from surefoot.reliability.guards import RedisGuards
from surefoot.settings import Settings
from tests.cli.conftest import Typed
from tests.support.waiting import until

WHERE = "Where is my order A-1003?"
WHY = ("--by", "ann", "--reason", "a test")
CENT = 10_000_000


@pytest.fixture
async def guards(settings: Settings) -> AsyncIterator[RedisGuards]:
    found = RedisGuards.connect(
        settings.redis_url.get_secret_value(), prefix=settings.key_prefix, timeout=timedelta(seconds=2)
    )
    yield found
    await found.close()


@pytest.fixture
async def spent(typed: Typed, served: Worker, client: SurefootClient, unique: str) -> int:
    """Nano-dollars of the session's one run, which Temporal lists."""
    left = await typed("run", WHERE, "--session", unique, "--key", unique, "--json")
    assert left.code == 0, left
    await until(lambda: client.runs(session=unique))
    cost: int = left.document["usage"]["costNanos"]
    return cost


async def charged(guards: RedisGuards, session: str, cost: int, *, unknown: bool) -> None:
    """A call that no history holds."""
    scope = Scope(kind=ScopeKind.SESSION, subject=session, budget=BudgetLimit(limit=50 * CENT))
    asked = Reservation("elsewhere", "default", (scope,), (Rung("scripted:m", cost),), 100, ())
    hold = (await guards.reserve(asked)).hold
    assert hold is not None
    admitted = await guards.begin_model_call(hold, 1, BreakerPolicy())
    assert isinstance(admitted, Admitted)
    charge = Charge(hold=hold, cost=cost, model_version="m", unknown=unknown)
    await guards.end_model_call(admitted.permit, Verdict.SUCCESS, None, charge)


async def test_histories_and_redis_agree_on_what_a_session_has_spent(typed: Typed, spent: int, unique: str) -> None:
    left = await typed("budget", "rebuild", "--session", unique)
    document = (await typed("budget", "rebuild", "--session", unique, "--json")).document
    assert (left.code, left.err, "they agree" in left.out) == (0, "", True)
    assert (document["history"], document["settled"], document["difference"]) == (spent, spent, 0)
    assert (document["agree"], document["unknown"]) == (True, 0)
    assert [(one["run"], one["answers"]) for one in document["runs"]] == [(f"run:default:{unique}", 2)]


async def test_what_redis_has_more_is_a_difference(typed: Typed, spent: int, guards: RedisGuards, unique: str) -> None:
    await charged(guards, unique, CENT, unknown=False)
    left = await typed("budget", "rebuild", "--session", unique)
    assert (left.code, "Difference  $0.01\n" in left.out) == (1, True)
    assert "Redis has more than the histories" in left.err
    document = (await typed("budget", "rebuild", "--session", unique, "--json")).document
    assert (document["difference"], document["settled"], document["agree"]) == (CENT, spent + CENT, False)


async def test_an_answer_that_was_blocked_and_billed_is_in_the_histories(
    typed: Typed, served: Worker, client: SurefootClient, unique: str
) -> None:
    left = await typed("run", "[[block]]", "--profile", "operations", "--session", unique, "--key", unique)
    assert left.code == 1, left
    await until(lambda: client.runs(session=unique))
    document = (await typed("budget", "rebuild", "--session", unique, "--json")).document
    assert document["agree"], document
    assert document["history"] == document["settled"] > 0
    assert document["runs"][0]["answers"] == 0


async def test_what_is_unknown_is_told_and_no_difference(
    typed: Typed, spent: int, guards: RedisGuards, unique: str
) -> None:
    await charged(guards, unique, CENT, unknown=True)
    left = await typed("budget", "rebuild", "--session", unique)
    assert (left.code, "of which $0.01 unknown" in left.out) == (0, True)
    assert "no worker could tell what became of the call" in left.err


async def test_books_that_redis_has_lost_are_a_difference(
    typed: Typed, spent: int, unique: str, environment: dict[str, str]
) -> None:
    environment["SUREFOOT_KEY_PREFIX"] = f"empty-{unique}"
    left = await typed("budget", "rebuild", "--session", unique)
    assert left.code == 1
    assert "Redis has less than the histories" in left.err


async def test_a_run_that_was_reset_counts_what_it_shares_with_the_one_before_once(
    typed: Typed, spent: int, client: SurefootClient, unique: str
) -> None:
    await typed("reset", unique, "--to", "2", *WHY)
    assert (await typed("result", unique)).code == 0

    async def both() -> bool:
        return len(await client.runs(session=unique)) == 2

    await until(both)
    document = (await typed("budget", "rebuild", "--session", unique, "--json")).document
    assert document["agree"], document
    assert document["history"] > spent
    assert [one["answers"] for one in document["runs"]] == [2, 1]


async def test_after_an_operator_began_anew_earlier_answers_do_not_count(
    typed: Typed, spent: int, client: SurefootClient, unique: str
) -> None:
    await typed("budget", "reset", "--session", unique, *WHY)
    left = await typed("budget", "rebuild", "--session", unique)
    assert (left.code, "began the window anew" in left.err) == (0, True)
    again = await typed("run", WHERE, "--session", unique, "--json")

    async def both() -> bool:
        return len(await client.runs(session=unique)) == 2

    await until(both)
    document = (await typed("budget", "rebuild", "--session", unique, "--json")).document
    assert (document["agree"], document["history"]) == (True, again.document["usage"]["costNanos"])


async def test_a_session_without_runs_has_spent_nothing(typed: Typed, unique: str) -> None:
    left = await typed("budget", "rebuild", "--session", unique, "--tenant", "acme", "--json")
    assert (left.code, left.document["history"], left.document["runs"]) == (0, 0, [])
    (await typed("budget", "rebuild")).refuses(2, "--session")


async def test_without_redis_or_temporal_nothing_is_compared(typed: Typed, unique: str) -> None:
    for name, value in (("REDIS_URL", "redis://127.0.0.1:1/0"), ("TEMPORAL_ADDRESS", "127.0.0.1:1")):
        (await typed("budget", "rebuild", "--session", unique, **{name: value})).refuses(4, "127.0.0.1:1")
