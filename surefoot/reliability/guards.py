"""Breaker, budget and ledger together: each method is one batch of atomic scripts.

Every script is named by what it is done for (hold and attempt, owner and attempt, fence, permit), so that each
method may be repeated after a lost reply and answers the same.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

import structlog
from pydantic import JsonValue

from surefoot.contracts.breakers import BreakerPolicy, Permit, Transition, Verdict
from surefoot.contracts.budgets import Charge, Hold, HoldTimes
from surefoot.contracts.models import ModelBooking
from surefoot.contracts.tools import Claim, ToolBooking
from surefoot.errors import StoreUnavailable, Superseded
from surefoot.ports import (
    Admitted,
    Busy,
    Doubtful,
    Fate,
    OverBudget,
    Proceed,
    Receipt,
    Refused,
    Replay,
    Reservation,
    Reserved,
)
from surefoot.reliability.breaker import RedisBreaker
from surefoot.reliability.budget import Budget, WindowMoved
from surefoot.reliability.ledger import REMEMBERED, Ledger
from surefoot.reliability.local_breaker import LocalBreaker
from surefoot.reliability.store import Step, Store

log = structlog.get_logger()

CLOCK_TRIES = 3
"""Reservations that may find that Redis's day or month is another one, before its clock counts as broken."""


@dataclass(frozen=True)
class Report:
    """How a call went that a breaker let through, if one did."""

    permit: Permit | None
    verdict: Verdict
    retry_after: timedelta | None = None
    took: timedelta | None = None


class RedisGuards:
    """The port ``Guards`` on Redis. Without Redis, a ``read`` tool goes on with this process's own breaker.

    Beyond the port: ``mark_sent`` and ``begin_model_call`` raise ``Superseded`` when a later attempt or another
    owner has taken over, and nothing may be sent. A stale owner's completion or failure changes nothing in the
    ledger and is told by ``Receipt.superseded``.
    """

    def __init__(
        self,
        store: Store,
        prefix: str,
        *,
        hold_times: HoldTimes | None = None,
        remembered: timedelta = REMEMBERED,
    ) -> None:
        self.store = store
        self.breaker = RedisBreaker(store, prefix)
        self.local_breaker = LocalBreaker()
        self.budget = Budget(store, prefix, hold_times, remembered)
        self.ledger = Ledger(store, prefix, remembered)

    @classmethod
    def connect(cls, url: str, *, prefix: str, timeout: timedelta) -> Self:
        """Nothing is sent before the first call. Raises ``InvalidInput`` for an address that is none."""
        return cls(Store.connect(url, timeout=timeout), prefix)

    async def close(self) -> None:
        await self.store.close()

    # Money.

    async def reserve(self, reservation: Reservation) -> Reserved:
        peeks = [self.breaker.peek_step(name) for name in _breakers(reservation)]
        for _ in range(CLOCK_TRIES):
            decided, glances = await self.store.first_and_rest(self.budget.reserve_step(reservation), peeks)
            if not isinstance(decided, WindowMoved):
                statuses = [glance.at(decided.now) for glance in glances]
                return replace(decided.reserved, breakers=dict(zip(reservation.breakers, statuses, strict=True)))
            self.budget.correct(decided)
        raise StoreUnavailable("Redis's clock is in another month or day at each look; check its server's clock")

    async def release(self, hold: Hold) -> None:
        await self.store.one(self.budget.release_step(hold))

    async def begin_model_call(
        self, hold: Hold, attempt: int, breaker: BreakerPolicy
    ) -> Admitted | Refused | OverBudget:
        name = breaker.name_for(hold.model, hold.tenant)
        admission = self.breaker.admit_step(name, breaker, f"{hold.id}#{attempt}")
        sending = self.budget.send_step(hold, attempt)
        admitted, problem = await self.store.two(admission, sending, *self.breaker.listing(name))
        if isinstance(admitted, Refused):
            if problem is None:
                await self.store.one(self.budget.unsend_step(hold, attempt))
            return admitted
        if problem is None:
            return admitted
        await self._give_back(admitted.permit)
        if isinstance(problem, Superseded):
            raise problem
        return problem

    async def end_model_call(
        self,
        permit: Permit,
        verdict: Verdict,
        retry_after: timedelta | None,
        charge: Charge | None,
        took: timedelta | None = None,
    ) -> Receipt:
        return await self._end_model_call(charge, Report(permit, verdict, retry_after, took))

    async def _end_model_call(self, charge: Charge | None, report: Report) -> Receipt:
        settling = self.budget.settle_step(charge) if charge else None
        crossings, transition = await self.store.any_of(settling, self._reporting(report))
        await self._report_locally(report)
        return Receipt(transitions=_told(transition), crossings=crossings or ())

    # Tools.

    async def begin_tool_call(
        self,
        *,
        tool: str,
        breaker: BreakerPolicy,
        effect_key: str | None,
        owner: str,
        attempt: int,
        lease: timedelta,
        mark_sent: bool,
        lands_within: timedelta,
        tenant: str = "",
    ) -> Proceed | Refused | Replay | Busy | Doubtful:
        token, name = f"{owner}#{attempt}", breaker.name_for(tool, tenant)
        if effect_key is None:
            return await self._begin_read(name, breaker, token)
        claiming = self.ledger.claim_step(
            effect_key, owner=owner, attempt=attempt, lease=lease, mark_sent=mark_sent, lands_within=lands_within
        )
        admission = self.breaker.admit_step(name, breaker, token)
        claim, admitted = await self.store.two(claiming, admission, *self.breaker.listing(name))
        if not isinstance(claim, Claim):
            if isinstance(admitted, Admitted):
                await self._give_back(admitted.permit)
            return claim
        if isinstance(admitted, Refused):
            await self.store.one(self.ledger.fail_step(claim, Fate.CLEAR, reached=False))
            return replace(admitted, in_doubt=claim.in_doubt)
        return Proceed(claim, admitted.permit, admitted.transition)

    async def _begin_read(self, name: str, breaker: BreakerPolicy, token: str) -> Proceed | Refused:
        try:
            admitted = await self.breaker.admit(name, breaker, token)
        except StoreUnavailable as error:
            log.warning("the process's own breaker stands in", breaker=name, why=str(error))
            admitted = await self.local_breaker.admit(name, breaker, token)
        if isinstance(admitted, Refused):
            return admitted
        return Proceed(None, admitted.permit, None if admitted.permit.local else admitted.transition)

    async def mark_sent(self, claim: Claim, *, lands_within: timedelta) -> Claim:
        return await self.ledger.mark_sent(claim, lands_within=lands_within)

    async def renew(self, claim: Claim, lease: timedelta) -> bool:
        return await self.ledger.renew(claim, lease)

    async def complete_tool_call(
        self, claim: Claim | None, content: JsonValue, permit: Permit | None, took: timedelta | None = None
    ) -> Receipt:
        recording = self.ledger.complete_step(claim, content) if claim else None
        return await self._end_tool_call(recording, Report(permit, Verdict.SUCCESS, None, took))

    async def fail_tool_call(
        self,
        claim: Claim | None,
        permit: Permit | None,
        verdict: Verdict,
        retry_after: timedelta | None,
        *,
        fate: Fate,
        reached: bool = True,
        took: timedelta | None = None,
    ) -> Receipt:
        recording = self.ledger.fail_step(claim, fate, reached=reached) if claim else None
        return await self._end_tool_call(recording, Report(permit, verdict, retry_after, took))

    async def _end_tool_call(self, recording: Step[bool] | None, report: Report) -> Receipt:
        recorded, transition = await self.store.any_of(recording, self._reporting(report))
        await self._report_locally(report)
        return Receipt(transitions=_told(transition), superseded=recorded is False)

    async def follow(self, effect_key: str, within: timedelta) -> Replay | None:
        return await self.ledger.follow(effect_key, within)

    async def book(self, booking: ModelBooking | ToolBooking) -> Receipt:
        """A tool's failure leaves its claim as it is: in doubt, if it was sent, for whoever goes on."""
        report = Report(booking.permit, booking.verdict)
        if isinstance(booking, ModelBooking):
            return await self._end_model_call(booking.charge, report)
        done = booking.claim and booking.verdict is Verdict.SUCCESS
        recording = self.ledger.complete_step(booking.claim, booking.content) if booking.claim and done else None
        return await self._end_tool_call(recording, report)

    # Permits.

    def _reporting(self, report: Report) -> Step[Transition | None] | None:
        permit = report.permit
        if permit is None or permit.local:
            return None
        return self.breaker.report_step(permit, report.verdict, report.retry_after, report.took)

    async def _report_locally(self, report: Report) -> None:
        """The process's own breaker opens no incident: the store's outage does."""
        permit = report.permit
        if permit and permit.local:
            await self.local_breaker.report(permit, report.verdict, report.retry_after, report.took)

    async def _give_back(self, permit: Permit) -> None:
        if permit.probe:
            await self.breaker.report(permit, Verdict.NEUTRAL, None)


def _told(transition: Transition | None) -> tuple[Transition, ...]:
    return (transition,) if transition else ()


def _breakers(reservation: Reservation) -> list[str]:
    """The names of the breakers that the reservation asks for."""
    own = BreakerPolicy(by_tenant=True)
    return [
        own.name_for(name, reservation.tenant) if name in reservation.own_breakers else name
        for name in reservation.breakers
    ]
