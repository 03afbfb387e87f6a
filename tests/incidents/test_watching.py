"""An incident is over when its guards or its run show it, and not before."""

from datetime import datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.watching import WatchActivities
from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerState, BreakerStatus
from surefoot.contracts.budgets import BudgetLimit, BudgetWindow, ScopeKind, ScopeStatus
from surefoot.contracts.incidents import IncidentKind, IncidentReport, WatchRequest
from surefoot.errors import ErrorType, NotFound
from surefoot.ports import GuardOffice
from tests.incidents.office import ClosedOffice, PlainOffice
from tests.incidents.reports import AT, FACTS, report

K = IncidentKind
LATER = AT + timedelta(minutes=5)


class Runs:
    """Runs that completed then, or that nobody knows."""

    def __init__(self, completed: datetime | None = None, *, known: bool = True) -> None:
        self._completed, self._known = completed, known

    async def completed_at(self, run_id: str) -> datetime | None:
        if not self._known:
            raise NotFound(f"run {run_id!r} is not known")
        return self._completed

    async def spent(self, run_id: str) -> int:
        return 0


class Guards(PlainOffice):
    """Guards as a test wants them."""

    def __init__(
        self,
        *breakers: BreakerStatus,
        claim: JsonObject | None = None,
        books: ScopeStatus | None = None,
    ) -> None:
        self._breakers, self._claim, self._books = breakers, claim, books
        self.asked: list[BudgetLimit] = []

    async def breakers(self) -> tuple[BreakerStatus, ...]:
        return self._breakers

    async def claim(self, effect_key: str) -> JsonObject | None:
        return self._claim

    async def budget(self, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit) -> ScopeStatus:
        self.asked.append(default)
        return self._books or await super().budget(tenant, kind, subject, default)


def breaker(state: BreakerState, episode: str = "e1", failures: int = 0) -> BreakerStatus:
    return BreakerStatus(name="create_order", state=state, episode=episode, recent_failures=failures)


async def seen(told: IncidentReport, office: GuardOffice, runs: Runs | None = None) -> str | None:
    """Why it is over; None where that can never be seen, and ``not yet`` while it is not."""
    watching = WatchActivities(office, runs or Runs())
    try:
        recovery = await ActivityEnvironment().run(watching.watch, WatchRequest(incident_id="i", report=told))
    except ApplicationError as error:
        return "not yet" if error.type == ErrorType.NOT_YET and not error.non_retryable else f"fails: {error}"
    return recovery.summary if recovery else None


OPEN, CLOSED = BreakerState.OPEN, BreakerState.CLOSED


@pytest.mark.parametrize(
    ("status", "over"),
    [
        (breaker(OPEN), False),
        (breaker(BreakerState.HALF_OPEN), False),
        (breaker(BreakerState.FORCED_OPEN), False),
        (breaker(CLOSED), True),
        (breaker(OPEN, "e2"), True),
    ],
)
async def test_a_breakers_incident_is_over_once_it_is_closed_or_in_another_episode(
    status: BreakerStatus, *, over: bool
) -> None:
    assert (await seen(report(K.BREAKER_OPEN), Guards(status)) != "not yet") is over
    assert "closed" in str(await seen(report(K.BREAKER_OPEN), Guards()))


async def test_a_tool_that_failed_works_again_once_its_last_call_succeeded_and_the_run_has_an_answer() -> None:
    told, fine = report(K.TOOL_FAILED), Guards(breaker(CLOSED))
    assert await seen(told, fine, Runs(LATER)) == "The circuit of create_order is closed."
    assert await seen(told, fine, Runs(None)) == "not yet"
    assert await seen(told, Guards(breaker(CLOSED, failures=1)), Runs(LATER)) == "not yet"


async def test_a_failed_run_is_mended_once_it_has_completed_since() -> None:
    told = report(K.RUN_FAILED)
    assert await seen(told, PlainOffice(), Runs(LATER)) == "run:acme:k1 has completed since."
    assert await seen(told, PlainOffice(), Runs(AT - timedelta(hours=1))) == "not yet"
    assert await seen(told, PlainOffice(), Runs(known=False)) == "not yet"
    assert await seen(report(K.RUN_FAILED, facts={"unsettled": {}}), PlainOffice(), Runs(LATER)) is None


DAY: JsonObject = {
    **FACTS[K.BUDGET_HARD],
    "window": "2026-11-21",
    "resets_at": "2026-11-22T00:00:00Z",
    "round": 0,
}


def books(settled: int, window: str = "2026-11-21", round: int = 0) -> ScopeStatus:
    whose = {"kind": ScopeKind.SESSION, "subject": "s1", "window": window, "round": round}
    return ScopeStatus(limit=500_000_000, soft_line=400_000_000, settled=settled, held=0, **whose)


@pytest.mark.parametrize(
    ("kind", "now", "why"),
    [
        (K.BUDGET_HARD, books(500_000_000), "not yet"),
        (K.BUDGET_HARD, books(450_000_000), "The spending of session s1 is below its line again."),
        (K.BUDGET_SOFT, books(450_000_000), "not yet"),
        (K.BUDGET_SOFT, books(0), "The spending of session s1 is below its line again."),
        (
            K.BUDGET_HARD,
            books(500_000_000, window="2026-11-22"),
            "The window of session s1 that this was about is over.",
        ),
        (K.BUDGET_HARD, books(500_000_000, round=1), "The budget of session s1 was raised or reset."),
    ],
)
async def test_a_budgets_incident_is_over_once_the_window_ends_or_there_is_room_again(
    kind: IncidentKind, now: ScopeStatus, why: str
) -> None:
    office = Guards(books=now)
    assert await seen(report(kind, facts=DAY), office) == why
    assert office.asked == [BudgetLimit(limit=500_000_000, soft_percent=80, window=BudgetWindow.DAY)]


async def test_a_run_stopped_below_its_cap_has_no_room_while_the_books_stand_as_they_did() -> None:
    stopped = report(K.BUDGET_HARD, facts={**DAY, "settled": 495_000_000})
    assert await seen(stopped, Guards(books=books(495_000_000))) == "not yet"
    assert (
        await seen(stopped, Guards(books=books(300_000_000))) == "The spending of session s1 is below its line again."
    )


async def test_a_month_is_not_taken_for_a_day_nor_an_unknown_window_for_any() -> None:
    office = Guards(books=books(500_000_000, "2026-11-01"))
    month: JsonObject = {**DAY, "window": "2026-11-01", "resets_at": "2026-12-01T00:00:00Z"}
    assert await seen(report(K.BUDGET_HARD, facts=month), office) == "not yet"
    assert office.asked[0].window is BudgetWindow.MONTH
    forever = Guards(books=books(500_000_000, "forever"))
    assert (
        await seen(report(K.BUDGET_HARD, facts={**DAY, "window": "forever", "resets_at": None}), forever) == "not yet"
    )
    assert forever.asked[0].window is BudgetWindow.FOREVER
    assert await seen(report(K.BUDGET_HARD), office) is None


async def test_an_unknown_outcome_is_known_once_it_is_settled_or_done() -> None:
    told = report(K.OUTCOME_UNKNOWN)
    settled: JsonObject = {"state": "free", "settled": "free", "by": "ann", "reason": "the bank has nothing"}
    assert await seen(told, Guards(claim=settled)) == "It was settled by ann: the bank has nothing"
    assert "has happened" in str(await seen(told, Guards(claim={"state": "done"})))
    assert await seen(told, Guards(claim={"state": "unknown"})) == "not yet"
    assert await seen(told, Guards(claim=None)) == "not yet", "a claim that was lost settles nothing"


@pytest.mark.parametrize("kind", [K.BREAKER_OPEN, K.OUTCOME_UNKNOWN, K.STORE_OUTAGE])
async def test_while_redis_is_away_nothing_is_over(kind: IncidentKind) -> None:
    assert await seen(report(kind), ClosedOffice()) == "not yet"


async def test_a_store_is_back_once_it_answers() -> None:
    assert await seen(report(K.STORE_OUTAGE), PlainOffice()) == "Redis answers again."


@pytest.mark.parametrize("kind", [K.STORE_WIPED, K.APPROVAL_EXPIRED, K.PRICE_DRIFT])
async def test_what_only_a_person_can_end_is_not_watched(kind: IncidentKind) -> None:
    assert await seen(report(kind), PlainOffice()) is None
