"""Scopes on their way to a script of the budget, and their books on the way back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal, Self

from surefoot.contracts.budgets import (
    BudgetMode,
    Crossing,
    Scope,
    ScopeKind,
    ScopeStatus,
    crossing_episode,
)
from surefoot.reliability.keys import part, tagged
from surefoot.reliability.store import Row
from surefoot.reliability.times import milliseconds, since_epoch
from surefoot.reliability.windows import FOREVER, Window, window_at

FIELDS = 6
"""Numbers a scope at the end of a reply."""


@dataclass(frozen=True)
class BookedScopes:
    """Scopes with the windows that they are booked in."""

    tenant: str
    scopes: tuple[Scope, ...]
    at: datetime
    checked: bool = False
    """The script refuses if a window is not the current one."""

    @classmethod
    def of(cls, tenant: str, scopes: tuple[Scope, ...], at: datetime, *, checked: bool = False) -> Self:
        """Those of the scopes whose budget is not off."""
        return cls(tenant, tuple(scope for scope in scopes if scope.budget.mode is not BudgetMode.OFF), at, checked)

    @cached_property
    def windows(self) -> list[Window]:
        return [window_at(scope.budget.window, self.at) for scope in self.scopes]

    def keys(self, prefix: str, call: str | None) -> list[str]:
        """The keys of a script that books a call, or of an operator's act on the first scope."""
        root = _root(prefix, self.tenant)
        names = [_name(root, scope.kind, scope.subject) for scope in self.scopes]
        second = f"{names[0]}:acts" if call is None else f"{root}:settled:{part(call)}"
        keys = [f"{root}:epoch", second, f"{root}:limits"]
        for name, window in zip(names, self.windows, strict=True):
            books = f"{name}:{window.name}"
            keys += (books, books + ":holds")
        return keys

    def arguments(self, memory: timedelta) -> list[int]:
        told: list[int] = []
        remembered = milliseconds(memory)
        for scope, window in zip(self.scopes, self.windows, strict=True):
            budget, begin, end = scope.budget, 0, 0
            if self.checked and window.begin and window.end:
                begin, end = since_epoch(window.begin), since_epoch(window.end)
            passing = window is not FOREVER or scope.kind is ScopeKind.RUN
            enforced = budget.mode is BudgetMode.ENFORCE
            told += (begin, end, budget.limit, budget.soft_percent, remembered if passing else 0, int(enforced))
        return told

    def status(self, row: Row, number: int) -> ScopeStatus:
        """Read one scope's books, counted from 1, at the end of a reply."""
        begin = len(row) - FIELDS * (len(self.scopes) - number + 1)
        return _status(self.scopes[number - 1], self.windows[number - 1], *map(int, row[begin : begin + FIELDS]))


@lru_cache(maxsize=4096)
def _root(prefix: str, tenant: str) -> str:
    return tagged(prefix, "budget", tenant)


@lru_cache(maxsize=4096)
def _name(root: str, kind: str, subject: str) -> str:
    """A run asks for the same scopes at each turn."""
    return f"{root}:{kind}:{part(subject)}"


def _status(
    scope: Scope, window: Window, settled: int, held: int, unknown: int, limit: int, soft_line: int, round: int
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
        round=round,
    )


def crossings(lines: str, scopes: BookedScopes, row: Row, epoch: str) -> tuple[Crossing, ...]:
    def crossing(told: str) -> Crossing:
        number, _, word = told.partition(":")
        line: Literal["soft", "hard"] = "soft" if word == "soft" else "hard"
        status = scopes.status(row, int(number))
        return Crossing(line=line, scope=status, episode=crossing_episode(epoch, status, line))

    return tuple(crossing(told) for told in lines.split(",")) if lines else ()
