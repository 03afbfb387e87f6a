"""Model calls: money held, sent and settled, in the batches that ask and tell the model's breaker."""

from datetime import timedelta

from surefoot.contracts.breakers import BreakerPolicy, Permit, Verdict
from surefoot.contracts.budgets import Charge, Hold
from surefoot.errors import StoreUnavailable, Superseded
from surefoot.ports import Addition, Admitted, OverBudget, Receipt, Refused, Reservation, Reserved
from surefoot.reliability.budget import Booked, Decided, WindowMoved
from surefoot.reliability.glance import Glance
from surefoot.reliability.permits import Permits, Report, told
from surefoot.reliability.prices import drift_of
from surefoot.reliability.routes import Look

TRIES = 3
"""Reservations that may find that Redis's day, month or prices are other ones, before that counts as broken."""
_OWN = BreakerPolicy(by_tenant=True)


class ModelCalls(Permits):
    """The half of the port ``Guards`` that spends money."""

    async def reserve(self, reservation: Reservation) -> Reserved:
        for _ in range(TRIES):
            wanted = self.prices.raised(reservation)
            decided, glances, routes = await self._asked(wanted)
            if isinstance(decided, WindowMoved):
                self.budget.correct(decided)
            elif self.prices.raised(reservation) == wanted:
                statuses = [glance.at(decided.now) for glance in glances]
                decided.reserved.breakers.update(zip(reservation.breakers, statuses, strict=True))
                decided.reserved.routes.update(routes.at(decided.now))
                return decided.reserved
            elif decided.reserved.hold:  # too little, at the prices that Redis has told just now
                await self.release(decided.reserved.hold)
        raise StoreUnavailable("Redis's day, month or prices are other ones at each look; check its server's clock")

    async def _asked(self, wanted: Reservation) -> tuple[Decided | WindowMoved, list[Glance], Look]:
        asking = self.budget.reserve_step(wanted)
        pricing, routing = self.prices.look_step(), self.routes.look_step()
        peeks = [self.breaker.peek_step(name) for name in _breakers(wanted)]
        answer, prices, routes, *rest = await self.store.send([asking, pricing, routing, *peeks])
        pricing.read(prices)
        glances = [peek.read(row) for peek, row in zip(peeks, rest, strict=True)]
        return asking.read(answer), glances, routing.read(routes)

    async def release(self, hold: Hold) -> None:
        await self.store.one(self.budget.release_step(hold))

    async def close_hold(self, hold: Hold) -> Receipt:
        closed = await self.store.one(self.budget.close_step(hold))
        return Receipt(crossings=closed.crossings, store=closed.epoch)

    async def begin_model_call(
        self, hold: Hold, attempt: int, breaker: BreakerPolicy
    ) -> Admitted | Refused | OverBudget:
        name = breaker.name_for(hold.model, hold.tenant)
        admission = self.breaker.admit_step(name, breaker, f"{hold.id}#{attempt}", f"{hold.id}#{attempt - 1}")
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
        said: Addition | None = None,
    ) -> Receipt:
        return await self._end_model_call(charge, Report(permit, verdict, retry_after, took), said)

    async def _end_model_call(self, charge: Charge | None, report: Report, said: Addition | None = None) -> Receipt:
        settling = self.budget.settle_step(charge) if charge else None
        drift = drift_of(charge) if charge else None
        raising = [self.prices.raise_step(charge)] if charge and drift else []
        joining = self.transcripts.joining(said) if said else None
        adding = joining.step if joining else None
        settled, transition, added = await self.store.any_of(settling, self._reporting(report), adding, *raising)
        await self._report_locally(report)
        booked = settled or Booked()
        return Receipt(
            transitions=told(transition),
            crossings=booked.crossings,
            drift=drift,
            store=booked.epoch,
            transcript=self.transcripts.joined(joining) if joining and added else None,
        )


def _breakers(reservation: Reservation) -> list[str]:
    """The names of the breakers that the reservation asks for."""
    own, tenant = reservation.own_breakers, reservation.tenant
    return [_OWN.name_for(name, tenant) if name in own else name for name in reservation.breakers]
