"""Models that have cost more than their bound: from then on they are reserved at the dearer price."""

from dataclasses import replace
from datetime import timedelta

from surefoot.contracts.budgets import AS_LISTED, Charge, PriceDrift
from surefoot.ports import Reservation, Rung
from surefoot.reliability.amounts import LARGEST, nanos
from surefoot.reliability.store import Row, Step, run
from surefoot.reliability.times import milliseconds

FORGOTTEN = timedelta(days=35)
"""After the last call that was too dear; by then the listed prices are other ones."""
DEAREST = 10**9
"""Thousandths; what is dearer is not believed."""


def drift_of(charge: Charge) -> PriceDrift | None:
    """What is to be told of a call that cost more than its bound; None if it did not."""
    hold = charge.hold
    if charge.cost <= hold.bound:
        return None
    return PriceDrift(model=hold.model, model_version=charge.model_version, bound=hold.bound, cost=charge.cost)


class Prices:
    """The record in Redis, and what this process knows of it: how dear a model is, in thousandths of its listing."""

    def __init__(self, prefix: str) -> None:
        self._key = f"{prefix}:prices"
        self._known: dict[str, int] = {}

    def raised(self, wanted: Reservation) -> Reservation:
        """The reservation at the prices that are known here."""
        return replace(wanted, rungs=tuple(self._raised(rung) for rung in wanted.rungs)) if self._known else wanted

    def _raised(self, rung: Rung) -> Rung:
        dearness = self._known.get(rung.model, AS_LISTED)
        if dearness == AS_LISTED:
            return rung
        bound = min(LARGEST, -(-nanos(rung.bound) * dearness // AS_LISTED))
        return Rung(rung.model, bound, dearness)

    def look_step(self) -> Step[bool]:
        """True if the record has changed since it was last read here."""

        def read(row: Row) -> bool:
            told = dict(zip(row[::2], map(int, row[1::2]), strict=True))
            changed, self._known = told != self._known, told
            return changed

        return Step(("HGETALL", self._key), read)

    def raise_step(self, charge: Charge) -> Step[None]:
        hold = charge.hold
        dearness = min(DEAREST, -(-charge.cost * hold.dearness // max(1, hold.bound)))
        arguments = (hold.model, dearness, milliseconds(FORGOTTEN))
        return run("prices/raise", (self._key,), arguments, lambda _: None)
