"""What a breaker's answer means for an activity: an open one ends it, whoever opened it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio.exceptions import ApplicationError

from surefoot.contracts.breakers import BreakerState, Transition
from surefoot.contracts.guardrails import BooksClosed
from surefoot.errors import CircuitOpen, circuit_open
from surefoot.ports import Receipt, Refused


def refused(entry: Refused, cost: int = 0) -> ApplicationError:
    """The breaker was open already, or opened since nobody probed it in time. ``cost`` is of attempts before."""
    details = CircuitOpen(
        name=entry.name,
        retry_after=entry.retry_after,
        episode=entry.episode,
        transition=entry.transition,
        cost=cost,
    )
    return circuit_open(details)


def brought_about(receipts: Sequence[Receipt]) -> BooksClosed:
    """All that these receipts tell."""
    return BooksClosed(
        transitions=tuple(change for receipt in receipts for change in receipt.transitions),
        crossings=tuple(crossing for receipt in receipts for crossing in receipt.crossings),
        drifts=tuple(receipt.drift for receipt in receipts if receipt.drift),
        store=next((receipt.store for receipt in reversed(receipts) if receipt.store), ""),
    )


def circuit_opened(
    changes: tuple[Transition, ...], news: BooksClosed | None = None, cost: int = 0
) -> ApplicationError | None:
    """This call's failure opened the breaker: no attempt of it would be admitted now.

    ``news`` is what the cost of the call has brought about, and ``cost`` is that of all its attempts.
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
        crossings=news.crossings if news else (),
        drifts=news.drifts if news else (),
        cost=cost,
    )
    return circuit_open(details)
