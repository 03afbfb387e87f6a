"""What a breaker's answer means for an activity: an open one ends it, whoever opened it."""

from datetime import UTC, datetime, timedelta

from temporalio.exceptions import ApplicationError

from surefoot.contracts.breakers import BreakerState, Transition
from surefoot.errors import CircuitOpen, circuit_open
from surefoot.ports import Refused


def refused(entry: Refused) -> ApplicationError:
    """The breaker was open already, or opened since nobody probed it in time."""
    details = CircuitOpen(
        name=entry.name, retry_after=entry.retry_after, episode=entry.episode, transition=entry.transition
    )
    return circuit_open(details)


def circuit_opened(changes: tuple[Transition, ...]) -> ApplicationError | None:
    """This call's failure opened the breaker: no attempt of it would be admitted now."""
    change = next((change for change in changes if change.after is BreakerState.OPEN), None)
    if change is None:
        return None
    left = max(change.open_until - datetime.now(UTC), timedelta(0)) if change.open_until else None
    return circuit_open(CircuitOpen(name=change.name, retry_after=left, episode=change.episode, transition=change))
