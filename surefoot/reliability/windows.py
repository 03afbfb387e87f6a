"""The span of time that spending counts in: days and months of UTC, or for ever."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from surefoot.contracts.budgets import BudgetWindow


@dataclass(frozen=True)
class Window:
    """``name`` is the window's first day, or ``forever``; ``end`` is excluded."""

    name: str
    begin: datetime | None = None
    end: datetime | None = None


FOREVER = Window("forever")


def window_at(kind: BudgetWindow, at: datetime) -> Window:
    """The window of a kind that a moment is in."""
    return FOREVER if kind is BudgetWindow.FOREVER else _window(kind, at.astimezone(UTC).date())


@lru_cache(maxsize=64)
def _window(kind: BudgetWindow, day: date) -> Window:
    first = day.replace(day=1) if kind is BudgetWindow.MONTH else day
    after = (first + timedelta(days=32)).replace(day=1) if kind is BudgetWindow.MONTH else day + timedelta(days=1)
    return Window(first.isoformat(), _midnight(first), _midnight(after))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
