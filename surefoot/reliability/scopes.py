"""Scopes on their way to a script of the budget, and their books on the way back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from surefoot.contracts.budgets import BudgetWindow, Crossing, Scope, ScopeKind, ScopeStatus
from surefoot.reliability.keys import part, tagged
from surefoot.reliability.store import Row
from surefoot.reliability.times import milliseconds, since_epoch
from surefoot.reliability.windows import Window, window_at

FIELDS = 5
"""Numbers a scope at the end of each reply."""


@dataclass(frozen=True)
class BookedScopes:
    """Scopes with the windows that they are booked in."""

    tenant: str
    scopes: tuple[Scope, ...]
    at: datetime
    checked: bool = False
    """The script refuses if a window is not the current one."""

    @property
    def windows(self) -> list[Window]:
        return [window_at(scope.budget.window, self.at) for scope in self.scopes]

    def keys(self, prefix: str, call: str) -> list[str]:
        root = tagged(prefix, "budget", self.tenant)
        books = [
            f"{root}:{scope.kind.value}:{part(scope.subject)}:{window.name}"
            for scope, window in zip(self.scopes, self.windows, strict=True)
        ]
        return [f"{root}:epoch", f"{root}:settled:{part(call)}", *(key for b in books for key in (b, f"{b}:holds"))]

    def arguments(self, memory: timedelta) -> list[int]:
        told: list[int] = []
        for scope, window in zip(self.scopes, self.windows, strict=True):
            begin, end = (
                (since_epoch(window.begin), since_epoch(window.end))
                if self.checked and window.begin and window.end
                else (0, 0)
            )
            passing = scope.kind is ScopeKind.RUN or scope.budget.window is not BudgetWindow.FOREVER
            ttl = milliseconds(memory) if passing else 0
            told += [begin, end, scope.budget.limit, scope.budget.soft_percent, ttl]
        return told

    def statuses(self, row: Row) -> list[ScopeStatus]:
        """Read the books at the end of a reply."""
        numbers = [int(number) for number in row[len(row) - FIELDS * len(self.scopes) :]]
        return [
            _status(scope, window, *numbers[i * FIELDS : (i + 1) * FIELDS])
            for i, (scope, window) in enumerate(zip(self.scopes, self.windows, strict=True))
        ]


def _status(
    scope: Scope, window: Window, settled: int, held: int, unknown: int, limit: int, soft_line: int
) -> ScopeStatus:
    return ScopeStatus(
        kind=scope.kind,
        subject=scope.subject,
        limit=limit,
        soft_line=soft_line,
        settled=settled,
        held=held,
        unknown=unknown,
        window=window.name,
        resets_at=window.end,
    )


def crossings(lines: str, statuses: list[ScopeStatus], epoch: str) -> tuple[Crossing, ...]:
    def crossing(told: str) -> Crossing:
        number, _, word = told.partition(":")
        line: Literal["soft", "hard"] = "soft" if word == "soft" else "hard"
        status = statuses[int(number) - 1]
        return Crossing(line=line, scope=status, episode=f"{epoch}:{status.window}:{line}")

    return tuple(crossing(told) for told in lines.split(",") if told)
