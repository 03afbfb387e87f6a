"""Budgets against their model: many callers, lost replies, dead callers, holds that expire, windows that end."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, precondition, rule

from surefoot.contracts.breakers import BreakerState, Permit, Verdict
from surefoot.contracts.budgets import BudgetLimit, BudgetWindow, Charge, Crossing, Hold, HoldTimes, Scope, ScopeKind
from surefoot.contracts.guardrails import Answer
from surefoot.errors import Superseded
from surefoot.ports import Admitted, OverBudget, Refused, Reservation, Rung
from surefoot.reliability.budget import WindowMoved
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.scopes import BookedScopes
from surefoot.reliability.store import Step
from surefoot.reliability.times import milliseconds, moment, since_epoch
from surefoot.reliability.windows import window_at
from tests.machines.budget_model import Book, BudgetModel, Decision, Line
from tests.machines.fleet import CLIENTS, FleetMachine, Lost, Way, clients, hold, ways
from tests.reliability.given import NEVER_ON_COUNT

MODEL = "scripted:m"
TENANT = "acme"
TIMES = HoldTimes()
MINUTE = 60_000
DAY, FOREVER = BudgetWindow.DAY, BudgetWindow.FOREVER


def _scope(kind: ScopeKind, subject: str, limit: int, soft: int, window: BudgetWindow = FOREVER) -> Scope:
    return Scope(kind=kind, subject=subject, budget=BudgetLimit(limit=limit, soft_percent=soft, window=window))


SCOPES = (
    _scope(ScopeKind.TENANT, "acme", 200, 50, DAY),
    _scope(ScopeKind.USER, "ann", 100, 80),
    _scope(ScopeKind.SESSION, "s1", 70, 80),
    _scope(ScopeKind.SESSION, "s2", 50, 0),
)
some_scopes = st.sampled_from([(0, 1, 2), (0, 3), (2, 0), (3,), (1, 2)])
ladders = st.lists(st.sampled_from([1, 4, 9, 16, 30, 60]), min_size=1, max_size=2).map(
    lambda bounds: tuple(sorted(bounds, reverse=True))
)
jumps = st.sampled_from([MINUTE, 2 * MINUTE, 15 * MINUTE, 12 * 60 * MINUTE, -MINUTE, -2 * MINUTE, -14 * MINUTE])
"""Whole minutes, so that no caller's clock is in another window than ours."""

BookName: TypeAlias = tuple[int, str]
"""The number of a scope, and a window."""


@dataclass
class Wanted:
    """One call's money, on its way from reservation to settlement."""

    id: str
    scopes: tuple[int, ...]
    bounds: tuple[int, ...]
    hold: Hold | None = None
    attempt: int = 0
    begun: list[int] = field(default_factory=list)
    """Attempts that were let through and are not settled yet."""


@dataclass(frozen=True)
class Settled:
    wanted: Wanted
    charge: Charge


async def begin(guards: RedisGuards, held: Hold, attempt: int) -> Admitted | Refused | OverBudget | str:
    try:
        return await guards.begin_model_call(held, attempt, NEVER_ON_COUNT)
    except Superseded:
        return "superseded"


class BudgetMachine(FleetMachine):
    """Every answer and every book is the model's; and the cap holds."""

    reserved: Bundle[Wanted] = Bundle("reserved")
    settled: Bundle[Settled] = Bundle("settled")

    def __init__(self) -> None:
        super().__init__()
        self.fleet.new_world(TIMES)
        self.model = BudgetModel(milliseconds(TIMES.reserved), milliseconds(TIMES.sent))
        self.books: dict[BookName, Book] = {}
        self.tellers: dict[tuple[BookName, Line], set[str]] = defaultdict(set)
        self.open = False
        self.number = 0
        self._tell_the_time()

    def _tell_the_time(self) -> None:
        """To the clients, as they would learn it by a refused reservation."""
        for client in range(CLIENTS):
            self.fleet.guards(client).budget.correct(WindowMoved(moment(self.fleet.clock.at)))

    def books_of(self, scopes: Iterable[int], at: int) -> dict[BookName, Book]:
        found = {}
        for number in scopes:
            budget = SCOPES[number].budget
            name = number, window_at(budget.window, moment(at)).name
            soft = budget.limit * budget.soft_percent // 100
            found[name] = self.books.setdefault(name, Book(budget.limit, soft))
        return found

    def held_in(self, wanted: Wanted) -> dict[BookName, Book]:
        assert wanted.hold is not None
        return self.books_of(wanted.scopes, since_epoch(wanted.hold.at))

    # What happens.

    @rule(target=reserved, scopes=some_scopes, bounds=ladders, way=ways)
    def reserve(self, scopes: tuple[int, ...], bounds: tuple[int, ...], way: Way) -> Wanted:
        return self._new(scopes, bounds, way)

    def _new(self, scopes: tuple[int, ...], bounds: tuple[int, ...], way: Way) -> Wanted:
        self.number += 1
        wanted = Wanted(f"hold-{self.number}", scopes, bounds)
        self._reserve(wanted, way)
        return wanted

    @rule(wanted=reserved, way=ways)
    def reserve_again(self, wanted: Wanted, way: Way) -> None:
        self._reserve(wanted, way)

    def _reserve(self, wanted: Wanted, way: Way) -> None:
        books = self.books_of(wanted.scopes, self.fleet.clock.at)
        expected = self.model.reserve(wanted.id, [*books.values()], wanted.bounds, self.fleet.clock.at)
        asked = Reservation(
            hold_id=wanted.id,
            tenant=TENANT,
            scopes=tuple(SCOPES[number] for number in wanted.scopes),
            rungs=tuple(Rung(MODEL, bound) for bound in wanted.bounds),
            output_tokens=1,
            breakers=(),
        )
        answer = self.fleet.do(lambda guards: guards.reserve(asked), way)
        if isinstance(answer, Lost):
            return
        assert answer == self.fleet.ask(lambda guards: guards.reserve(asked), way.repeats)
        told = self._crossings([*books], answer.crossings, f"reserve {wanted.id}")
        subjects = [SCOPES[number].subject for number in wanted.scopes]
        tight = subjects.index(answer.tight_scope.subject) if answer.tight_scope else None
        at = since_epoch(answer.hold.at) if answer.hold else 0
        assert Decision(answer.answer, answer.rung, at, tight, told) == expected
        if answer.hold:
            assert answer.hold.bound == wanted.bounds[expected.rung]
            wanted.hold = answer.hold
        elif answer.answer is Answer.IN_FLIGHT:
            assert answer.retry_after is not None

    @rule(wanted=reserved, way=ways)
    def begin(self, wanted: Wanted, way: Way) -> None:
        """A new attempt, as each activity attempt is."""
        assume(wanted.hold)
        wanted.attempt += 1
        self._begin(wanted, wanted.attempt, way)

    @rule(target=reserved, scopes=some_scopes, bound=st.integers(1, 9), way=ways)
    def reserve_and_begin(self, scopes: tuple[int, ...], bound: int, way: Way) -> Wanted:
        wanted = self._new(scopes, (bound,), Way(way.client))
        if wanted.hold:
            wanted.attempt = 1
            self._begin(wanted, 1, way)
        return wanted

    @rule(wanted=reserved, way=ways)
    def begin_again(self, wanted: Wanted, way: Way) -> None:
        """Late, by a caller that was paused."""
        assume(wanted.hold and wanted.attempt)
        self._begin(wanted, wanted.attempt, way)

    def _begin(self, wanted: Wanted, attempt: int, way: Way) -> None:
        held, books = wanted.hold, [*self.held_in(wanted).values()]
        assert held is not None
        answer = self.fleet.do(lambda guards: begin(guards, held, attempt), way)
        call, at = (wanted.id, attempt), self.fleet.clock.at
        expected = self.model.send(call, books, held.bound, at)
        cut_short = isinstance(answer, Lost) and way.lose == 0
        if self.open and expected == "sent" and not cut_short:
            self.model.unsend(call, books, at)
        if isinstance(answer, Lost):
            return
        if self.open:
            assert isinstance(answer, Refused)
        elif expected == "sent":
            assert isinstance(answer, Admitted)
            wanted.begun.append(attempt)
        elif expected == "superseded":
            assert answer == "superseded"
        else:
            assert isinstance(answer, OverBudget)
            assert answer.scope.subject == SCOPES[wanted.scopes[expected]].subject

    @rule(target=settled, wanted=reserved, share=st.integers(0, 4), unknown=st.booleans(), way=ways)
    def end(self, wanted: Wanted, share: int, unknown: bool, way: Way) -> Settled:
        """At a quarter of the bound, two, or all of it; an earlier attempt may end after a later one began."""
        assume(wanted.begun)
        held = wanted.hold
        assert held is not None
        cost = held.bound if unknown else held.bound * share // 4
        charge = Charge(
            hold=held,
            attempt=wanted.begun.pop(share % len(wanted.begun)),
            cost=cost,
            model_version="m",
            unknown=unknown,
        )
        self._settle(Settled(wanted, charge), way)
        return Settled(wanted, charge)

    @rule(target=settled, wanted=reserved, way=ways)
    def end_after_it_was_given_up(self, wanted: Wanted, way: Way) -> Settled:
        """And charged at its bound, which the truth corrects."""
        held = wanted.hold
        assume(held and wanted.begun)
        assert held is not None
        self._step(milliseconds(TIMES.sent))
        self.model.release(wanted.id, [*self.held_in(wanted).values()], self.fleet.clock.at)
        self.fleet.ask(lambda guards: guards.release(held), way.client)
        late = Charge(hold=held, attempt=wanted.begun.pop(), cost=held.bound // 2, model_version="m")
        self._settle(Settled(wanted, late), way)
        return Settled(wanted, late)

    @rule(settled=settled, client=clients)
    def end_again(self, settled: Settled, client: int) -> None:
        self._settle(settled, Way(client))

    def _settle(self, settled: Settled, way: Way) -> None:
        charge = settled.charge
        books = self.books_of(settled.wanted.scopes, since_epoch(charge.hold.at))
        call = charge.hold.id, charge.attempt
        expected = self.model.settle(call, [*books.values()], charge.cost, charge.unknown, self.fleet.clock.at)
        permit = Permit(name=MODEL, generation=0, token=f"{call[0]}#{call[1]}")
        answer = self.fleet.do(lambda guards: guards.end_model_call(permit, Verdict.SUCCESS, None, charge), way)
        if not isinstance(answer, Lost):
            assert self._crossings([*books], answer.crossings, f"settle {call}") == expected

    @rule(wanted=reserved, way=ways)
    def release(self, wanted: Wanted, way: Way) -> None:
        held = wanted.hold
        assume(held)
        assert held is not None
        self.model.release(wanted.id, [*self.held_in(wanted).values()], self.fleet.clock.at)
        self.fleet.do(lambda guards: guards.release(held), way)

    @rule(wanted=reserved, way=ways)
    def close(self, wanted: Wanted, way: Way) -> None:
        """Its run is over; an attempt of it may still be under way, and end."""
        held = wanted.hold
        assume(held)
        assert held is not None
        books = self.held_in(wanted)
        expected = self.model.close(wanted.id, [*books.values()], self.fleet.clock.at)
        answer = self.fleet.do(lambda guards: guards.close_hold(held), way)
        if not isinstance(answer, Lost):
            assert self._crossings([*books], answer.crossings, f"close {wanted.id}") == expected

    @precondition(lambda self: self.open or self.number % 3 == 0)
    @rule(client=clients)
    def trip_or_mend_the_breaker(self, client: int) -> None:
        self.open = not self.open
        self.number += 1
        state, act = (BreakerState.FORCED_OPEN if self.open else BreakerState.CLOSED), f"act-{self.number}"
        self.fleet.ask(lambda guards: guards.breaker.force(MODEL, state, "why", act), client)

    @rule(wanted=reserved, way=ways)
    def reserve_again_when_one_scope_has_forgotten(self, wanted: Wanted, way: Way) -> None:
        """Since somebody looked at it before the clock went back."""
        assume(wanted.hold)
        self._step(2 * MINUTE)
        number, at = wanted.scopes[0], self.fleet.clock.at
        for book in self.books_of([number], at).values():
            book.sweep(at)
        self.fleet.ask(lambda guards: guards.store.one(guards.budget.status_step(TENANT, SCOPES[number])))
        self._step(-MINUTE)
        self._reserve(wanted, way)

    @rule(ms=jumps)
    def step_the_clock(self, ms: int) -> None:
        self._step(ms)

    def _step(self, ms: int) -> None:
        self.fleet.clock.at += ms
        self._tell_the_time()

    # What must hold.

    def _crossings(self, names: list[BookName], told: tuple[Crossing, ...], act: str) -> tuple[tuple[int, Line], ...]:
        subjects = [SCOPES[number].subject for number, _ in names]
        lines = tuple((subjects.index(crossing.scope.subject), crossing.line) for crossing in told)
        for number, line in lines:
            self.tellers[names[number], line].add(act)
            assert len(self.tellers[names[number], line]) == 1, "a crossing is told to one act alone"
        return lines

    @invariant()
    def the_books_are_the_model_s_and_under_the_cap(self) -> None:
        names = list(self.books)
        found = self.fleet.ask(lambda guards: guards.store.many([self._reading(name) for name in names]))
        for name, sums in zip(names, found, strict=True):
            book = self.books[name]
            assert sums == book.sums, f"settled, held, unknown of {name}"
            assert sums[0] + sums[1] <= book.limit

    def _reading(self, name: BookName) -> Step[tuple[int, int, int]]:
        number, window = name
        at = moment(self.fleet.clock.at) if window == "forever" else _beginning(window)
        key = BookedScopes(TENANT, (SCOPES[number],), at).keys(self.fleet.prefix, "call")[-2]

        def read(row: list[str]) -> tuple[int, int, int]:
            settled, held, unknown = (int(value or 0) for value in row)
            return settled, held, unknown

        return Step(("HMGET", key, "settled", "held", "unknown"), read)


def _beginning(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def test_budgets_keep_their_rules_whatever_happens(own_redis: str) -> None:
    hold(BudgetMachine, own_redis)
