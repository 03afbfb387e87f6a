"""Breakers and their transitions as they are read from Redis."""

import json
from datetime import datetime

from surefoot.contracts.breakers import BreakerState, BreakerStatus, Transition
from surefoot.reliability.store import Row
from surefoot.reliability.times import moment, moment_or_none, since_epoch


class Glance:
    """A breaker as it was read, not yet judged by the clock."""

    def __init__(self, name: str, row: Row) -> None:
        self._name = name
        self._row = row

    def at(self, now: datetime) -> BreakerStatus:
        """An open breaker whose time is over counts as half-open: the next call will be its probe."""
        state, generation, born, episodes, until, reason, streak = self._row
        return BreakerStatus(
            name=self._name,
            state=state_at(state or "closed", until, now),
            generation=int(generation or 0),
            episode=f"{born}-{episodes}" if int(episodes or 0) else "",
            recent_failures=int(streak or 0),
            open_until=moment_or_none(until),
            reason=reason,
        )


def state_at(state: str, until: str, now: datetime) -> BreakerState:
    over = state == BreakerState.OPEN and int(until) <= since_epoch(now)
    return BreakerState.HALF_OPEN if over else BreakerState(state)


def transition_in(name: str, text: str) -> Transition | None:
    if not text:
        return None
    _, before, after, generation, episode, reason, at, until = json.loads(text)
    return Transition(
        name=name,
        before=before,
        after=after,
        generation=generation,
        episode=episode,
        reason=reason,
        at=moment(at),
        open_until=moment_or_none(until),
    )
