"""The rules of budgets (design section 7), as short as they can be said: books are sets, and tell sums."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from surefoot.contracts.guardrails import Answer

Call: TypeAlias = tuple[str, int]
"""A hold's id and an attempt."""
Line: TypeAlias = Literal["soft", "hard"]


@dataclass(frozen=True)
class Held:
    """Money held for one call. Times in ms."""

    sent: bool
    attempt: int
    bound: int
    rung: int
    at: int
    ends: int
    tight: int | None = None


@dataclass
class Book:
    """One scope in one window."""

    limit: int
    soft: int
    held: dict[str, Held] = field(default_factory=dict)
    spent: dict[Call, int] = field(default_factory=dict)
    unknown: dict[Call, int] = field(default_factory=dict)
    """The part of what is spent that is charged at the bound."""
    told: dict[Line, str] = field(default_factory=dict)
    """Which act reached a line first."""

    @property
    def sums(self) -> tuple[int, int, int]:
        held = sum(hold.bound for hold in self.held.values())
        return sum(self.spent.values()), held, sum(self.unknown.values())

    def room(self, line: int) -> int:
        settled, held, _ = self.sums
        return line - settled - held

    def charge(self, hold_id: str) -> None:
        hold = self.held.pop(hold_id)
        self.spent[hold_id, hold.attempt] = self.unknown[hold_id, hold.attempt] = hold.bound

    def end(self, hold_id: str) -> None:
        if self.held[hold_id].sent:
            self.charge(hold_id)
        else:
            del self.held[hold_id]

    def sweep(self, at: int) -> None:
        for hold_id in [name for name, hold in self.held.items() if hold.ends <= at]:
            self.end(hold_id)


@dataclass(frozen=True)
class Decision:
    """The answer to a reservation."""

    answer: Answer
    rung: int = 0
    at: int = 0
    tight: int | None = None
    crossed: tuple[tuple[int, Line], ...] = ()


Sent: TypeAlias = Literal["sent", "superseded"] | int
"""Or the number of the scope that has no room."""


@dataclass
class BudgetModel:
    """Every act names its books: those of the window in which its hold was taken."""

    reserved_for: int
    sent_for: int
    settled: set[Call] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    """Holds whose run is over."""

    def reserve(self, hold_id: str, books: Sequence[Book], bounds: Sequence[int], at: int) -> Decision:
        _sweep(books, at)
        if all(hold_id in book.held for book in books):
            hold = books[-1].held[hold_id]
            return self._decided(hold_id, books, Decision(Answer.GO, hold.rung, hold.at, hold.tight))
        for book in books:
            if hold_id in book.held:  # what is over in one scope is over in all
                book.end(hold_id)
        tight = None
        for rung, bound in enumerate(bounds):
            last = rung == len(bounds) - 1
            full = next((i for i, b in enumerate(books) if bound > b.room(b.limit if last else b.soft)), None)
            if full is None:
                for book in books:
                    book.held[hold_id] = Held(False, 1, bound, rung, at, at + self.reserved_for, tight)
                return self._decided(hold_id, books, Decision(Answer.GO, rung, at, tight))
            tight = full if tight is None else tight
        return self._decided(hold_id, books, _refusal(books, bounds[-1]))

    def _decided(self, hold_id: str, books: Sequence[Book], decision: Decision) -> Decision:
        stopped = decision.tight if decision.answer is Answer.EXHAUSTED else None
        return replace(decision, crossed=_crossed(books, f"reserve {hold_id}", stopped))

    def send(self, call: Call, books: Sequence[Book], bound: int, at: int) -> Sent:
        _sweep(books, at)
        hold_id, attempt = call
        holds = [book.held.get(hold_id) for book in books]
        later = any(hold and hold.sent and hold.attempt > attempt for hold in holds)
        given_up = any(call in book.spent for book in books)
        if later or given_up or call in self.settled or hold_id in self.closed:
            return "superseded"
        for book, hold in zip(books, holds, strict=True):
            if hold and hold.sent and hold.attempt < attempt:
                book.charge(hold_id)
        for number, book in enumerate(books):
            if hold_id not in book.held and bound > book.room(book.limit):
                return number
        for book in books:
            hold = book.held.get(hold_id, Held(True, attempt, bound, 0, at, 0))
            book.held[hold_id] = replace(hold, sent=True, attempt=attempt, ends=at + self.sent_for)
        return "sent"

    def unsend(self, call: Call, books: Sequence[Book], at: int) -> None:
        _sweep(books, at)
        for book in books:
            hold = book.held.get(call[0])
            if hold and hold.sent and hold.attempt == call[1]:
                book.held[call[0]] = replace(hold, sent=False, ends=at + self.reserved_for)

    def release(self, hold_id: str, books: Sequence[Book], at: int) -> None:
        _sweep(books, at)
        for book in books:
            if hold_id in book.held and not book.held[hold_id].sent:
                del book.held[hold_id]

    def close(self, hold_id: str, books: Sequence[Book], at: int) -> tuple[tuple[int, Line], ...]:
        _sweep(books, at)
        self.closed.add(hold_id)
        for book in books:
            if hold_id in book.held:
                book.end(hold_id)
        return _crossed(books, f"close {hold_id}", None)

    def settle(
        self, call: Call, books: Sequence[Book], cost: int, unknown: bool, at: int
    ) -> tuple[tuple[int, Line], ...]:
        _sweep(books, at)
        if call not in self.settled:
            self.settled.add(call)
            for book in books:
                hold = book.held.get(call[0])
                if hold and hold.attempt == call[1]:
                    del book.held[call[0]]
                book.unknown.pop(call, None)
                book.spent[call] = cost
                if unknown:
                    book.unknown[call] = cost
        return _crossed(books, f"settle {call[0]}#{call[1]}", None)


def _sweep(books: Sequence[Book], at: int) -> None:
    for book in books:
        book.sweep(at)


def _refusal(books: Sequence[Book], bound: int) -> Decision:
    """The gravest of what stands in the way, and the first scope where it does."""
    graver = (Answer.NEVER_FITS, Answer.EXHAUSTED, Answer.IN_FLIGHT)
    reasons = []
    for number, book in enumerate(books):
        if bound > book.room(book.limit):
            fits_empty, fits_spent = bound <= book.limit, bound <= book.limit - book.sums[0]
            reason = Answer.IN_FLIGHT if fits_spent else Answer.EXHAUSTED if fits_empty else Answer.NEVER_FITS
            reasons.append((graver.index(reason), number))
    grade, number = min(reasons)
    return Decision(graver[grade], tight=number)


def _crossed(books: Sequence[Book], act: str, stopped: int | None) -> tuple[tuple[int, Line], ...]:
    """The lines that this act was the first to find reached."""
    lines: list[tuple[int, Line]] = []
    for number, book in enumerate(books):
        settled = book.sums[0]
        reached: list[Line] = ["soft"] if settled and settled >= book.soft else []
        if number == stopped or (settled and settled >= book.limit):
            reached.append("hard")
        lines += [(number, line) for line in reached if book.told.setdefault(line, act) == act]
    return tuple(lines)
