"""The span of time that spending counts in: days and months of UTC, or for ever."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from surefoot.contracts.budgets import BudgetWindow


@dataclass(frozen=True)
class Window:
    """``name`` is the window's first day, or ``forever``; ``end`` is excluded."""

    name: str
    begin: datetime | None = None
    end: datetime | None = None


def window_at(kind: BudgetWindow, at: datetime) -> Window:
    """The window of a kind that a moment is in."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match kind:
        case BudgetWindow.DAY:
            return _window(midnight, midnight + timedelta(days=1))
        case BudgetWindow.MONTH:
            first = midnight.replace(day=1)
            return _window(first, (first + timedelta(days=32)).replace(day=1))
        case BudgetWindow.FOREVER:
            return Window("forever")


def _window(begin: datetime, end: datetime) -> Window:
    return Window(begin.date().isoformat(), begin, end)
