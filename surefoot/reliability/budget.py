"""Budgets: money is held in every scope at once before it is spent, by the rules of ``lua/budget/``.

Holds are not spend. Settled plus held never passes a cap while no call costs more than its bound.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from surefoot.contracts.base import JsonObject
from surefoot.contracts.budgets import BudgetLimit, Charge, Crossing, Hold, HoldTimes, Scope, ScopeKind, ScopeStatus
from surefoot.contracts.guardrails import Act, Answer
from surefoot.errors import InvalidAmount, InvalidInput, Superseded
from surefoot.ports import OverBudget, Reservation, Reserved
from surefoot.reliability.amounts import check_charge, check_hold, check_scopes, nanos
from surefoot.reliability.scopes import BookedScopes, crossings
from surefoot.reliability.store import Row, Step, Store, run
from surefoot.reliability.times import milliseconds, moment, since_epoch, span

A = TypeVar("A")

REMEMBERED = timedelta(days=35)
"""How long a settlement is known, so that a repetition is not booked again; longer than any retention and window."""
MOVED = "window"
"""The reply to a caller whose clock is in another window than Redis's."""


@dataclass(frozen=True)
class WindowMoved:
    """The day or month is another one by Redis's clock; nothing was done."""

    now: datetime


@dataclass(frozen=True)
class Decided:
    """The answer to a reservation, and Redis's time, by which breakers of the same batch are judged."""

    reserved: Reserved
    now: datetime


@dataclass(frozen=True)
class Booked:
    """The store's epoch, and the lines that the booking crossed."""

    epoch: str = ""
    crossings: tuple[Crossing, ...] = ()


def _of(hold: Hold) -> BookedScopes:
    """A call is booked where its hold was taken, however late."""
    check_hold(hold)
    return BookedScopes.of(hold.tenant, hold.scopes, hold.at)


def _known_until(hold: Hold, lasts: timedelta) -> tuple[str, int]:
    """The epoch that the hold was taken under, and the first ms at which it can have ended by itself."""
    return hold.epoch, since_epoch(hold.at) + milliseconds(lasts)


def _check(wanted: Reservation) -> None:
    check_scopes(wanted.scopes)
    if not wanted.rungs:
        raise InvalidInput(f"reservation {wanted.hold_id!r} offers no model")
    if len({(scope.kind, scope.subject) for scope in wanted.scopes}) < len(wanted.scopes):
        raise InvalidInput(f"reservation {wanted.hold_id!r} names a scope twice")


def _reserved(wanted: Reservation, scopes: BookedScopes, row: Row) -> Decided | WindowMoved:
    word, rung, tight, wait, since, now, epoch, lines = row[:8]
    if word == MOVED:
        return WindowMoved(moment(now))
    answer, chosen = Answer(word), int(rung) - 1
    reserved = Reserved(
        answer=answer,
        rung=max(chosen, 0),
        hold=_hold(wanted, chosen, moment(since), epoch) if answer is Answer.GO else None,
        tight_scope=scopes.status(row, int(tight)) if int(tight) else None,
        retry_after=span(wait) if int(wait) else None,
        breakers={},
        epoch=epoch,
        crossings=crossings(lines, scopes, row, epoch),
    )
    return Decided(reserved, moment(now))


def _hold(wanted: Reservation, rung: int, at: datetime, epoch: str) -> Hold:
    return Hold(
        id=wanted.hold_id,
        tenant=wanted.tenant,
        scopes=wanted.scopes,
        model=wanted.rungs[rung].model,
        bound=wanted.rungs[rung].bound,
        output_tokens=wanted.output_tokens,
        at=at,
        dearness=wanted.rungs[rung].dearness,
        epoch=epoch,
    )


def _booked(scopes: BookedScopes, row: Row) -> Booked:
    epoch, lines = row[:2]
    return Booked(epoch, crossings(lines, scopes, row, epoch))


class Budget:
    """The books in Redis. Each method makes the step of a batch; amounts that are none raise ``InvalidAmount``."""

    def __init__(
        self, store: Store, prefix: str, times: HoldTimes | None = None, remembered: timedelta = REMEMBERED
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._times = times or HoldTimes()
        self._memory = remembered
        self._ahead = timedelta()

    def now(self) -> datetime:
        """This machine's guess of Redis's time."""
        return datetime.now(UTC) + self._ahead

    def correct(self, moved: WindowMoved) -> None:
        """Learn from Redis how far its clock is ahead."""
        self._ahead = moved.now - datetime.now(UTC)

    def _arguments(self, scopes: BookedScopes, hold: str, attempt: int, *own: str | int) -> list[str | int]:
        common = (hold, attempt, os.urandom(6).hex(), milliseconds(self._memory), len(own))
        return [*common, *own, *scopes.arguments(self._memory)]

    def reserve_step(self, wanted: Reservation) -> Step[Decided | WindowMoved]:
        """Choose a rung and hold its bound. The hold's id makes a repetition answer the same."""
        _check(wanted)
        scopes = BookedScopes.of(wanted.tenant, wanted.scopes, self.now(), checked=True)
        bounds = [nanos(rung.bound) for rung in wanted.rungs]
        own = (milliseconds(self._times.reserved), *bounds)
        return self._step("reserve", scopes, wanted.hold_id, 1, own, lambda row: _reserved(wanted, scopes, row))

    def send_step(self, hold: Hold, attempt: int) -> Step[OverBudget | Superseded | None]:
        """Mark the attempt's hold as sent; None if that was done."""
        scopes = _of(hold)

        def read(row: Row) -> OverBudget | Superseded | None:
            word, number = row[0], int(row[1])
            if word == "superseded":
                return Superseded(f"attempt {attempt} of hold {hold.id!r} is over: a later one began, or it is settled")
            return OverBudget(scopes.status(row, number)) if word == "over" else None

        own = (milliseconds(self._times.sent), hold.bound, *_known_until(hold, self._times.reserved))
        return self._step("send", scopes, hold.id, attempt, own, read)

    def unsend_step(self, hold: Hold, attempt: int) -> Step[None]:
        own = (milliseconds(self._times.reserved),)
        return self._step("unsend", _of(hold), hold.id, attempt, own, lambda _: None)

    def release_step(self, hold: Hold) -> Step[None]:
        return self._step("release", _of(hold), hold.id, 1, (), lambda _: None)

    def close_step(self, hold: Hold) -> Step[Booked]:
        """End the hold of a run that is over; a repetition tells the same crossings."""
        scopes = _of(hold)
        return self._step("close", scopes, hold.id, 1, (), lambda row: _booked(scopes, row))

    def settle_step(self, charge: Charge) -> Step[Booked]:
        """Book what the attempt cost, once; a repetition tells the same crossings."""
        check_charge(charge)
        hold, scopes = charge.hold, _of(charge.hold)
        own = (charge.cost, int(charge.unknown), *_known_until(hold, self._times.sent))
        return self._step("settle", scopes, hold.id, charge.attempt, own, lambda row: _booked(scopes, row))

    def _step(
        self,
        name: str,
        scopes: BookedScopes,
        hold: str,
        attempt: int,
        own: tuple[str | int, ...],
        read: Callable[[Row], A],
    ) -> Step[A]:
        keys = scopes.keys(self._prefix, f"{hold}#{attempt}")
        return run(f"budget/{name}", keys, self._arguments(scopes, hold, attempt, *own), read)

    def status_step(self, tenant: str, scope: Scope) -> Step[ScopeStatus | WindowMoved]:
        check_scopes((scope,))
        scopes = BookedScopes(tenant, (scope,), self.now(), checked=True)
        return self._step("books", scopes, "-", 0, (), lambda row: _status(scopes, row))

    def act_step(
        self, word: Literal["limit", "topup", "reset"], tenant: str, scope: Scope, amount: int | None, act: Act
    ) -> Step[ScopeStatus | WindowMoved]:
        """What an operator does to a scope's books."""
        check_scopes((scope,))
        scopes = BookedScopes(tenant, (scope,), self.now(), checked=True)

        def read(row: Row) -> ScopeStatus | WindowMoved:
            if row[0] == "too_large":
                raise InvalidAmount(f"{amount!r} nano-dollars more than there are make the limit larger than 2**53")
            return _status(scopes, row)

        given = "" if amount is None else nanos(amount)
        arguments = self._arguments(scopes, act.id, 0, given, act.by, act.reason)
        return run(f"budget/{word}", scopes.keys(self._prefix, None), arguments, read)

    def acts_step(self, tenant: str, kind: ScopeKind, subject: str) -> Step[tuple[JsonObject, ...]]:
        scope = Scope(kind=kind, subject=subject, budget=BudgetLimit(limit=0))
        key = BookedScopes(tenant, (scope,), self.now()).keys(self._prefix, None)[1]
        return Step(("LRANGE", key, 0, -1), lambda row: tuple(json.loads(act) for act in row))


def _status(scopes: BookedScopes, row: Row) -> ScopeStatus | WindowMoved:
    return WindowMoved(moment(row[1])) if row[0] == MOVED else scopes.status(row, 1)
