"""What a breaker's answer means for an activity: an open one ends it, whoever opened it."""

from datetime import UTC, datetime, timedelta

from temporalio.exceptions import ApplicationError

from surefoot.contracts.breakers import BreakerState, Transition
from surefoot.contracts.budgets import PriceDrift
from surefoot.errors import CircuitOpen, circuit_open
from surefoot.ports import Receipt, Refused


def refused(entry: Refused) -> ApplicationError:
    """The breaker was open already, or opened since nobody probed it in time."""
    details = CircuitOpen(
        name=entry.name, retry_after=entry.retry_after, episode=entry.episode, transition=entry.transition
    )
    return circuit_open(details)


def drifts(receipt: Receipt | None) -> tuple[PriceDrift, ...]:
    return (receipt.drift,) if receipt and receipt.drift else ()


def circuit_opened(changes: tuple[Transition, ...], receipt: Receipt | None = None) -> ApplicationError | None:
    """This call's failure opened the breaker: no attempt of it would be admitted now.

    ``receipt`` is that of a call that was paid for.
    """
    change = next((change for change in changes if change.after is BreakerState.OPEN), None)
    if change is None:
        return None
    left = max(change.open_until - datetime.now(UTC), timedelta(0)) if change.open_until else None
    details = CircuitOpen(
        name=change.name,
        retry_after=left,
        episode=change.episode,
        transition=change,
        crossings=receipt.crossings if receipt else (),
        drifts=drifts(receipt),
    )
    return circuit_open(details)
