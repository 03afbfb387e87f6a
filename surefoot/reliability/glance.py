"""Breakers and their transitions as they are read from Redis."""

import json
from datetime import datetime
from functools import lru_cache

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
        fields = _fields(*self._row) if self._row else {}
        return _status(self._name, _is_over(fields.get("state", ""), fields.get("open_until", "0"), now), *self._row)


def _fields(*row: str) -> dict[str, str]:
    return dict(zip(row[::2], row[1::2], strict=True))


@lru_cache(maxsize=4096)
def _status(name: str, over: bool, *row: str) -> BreakerStatus:
    """Most breakers are as they were at the last look; a status is frozen, so that looks may share it."""
    fields = _fields(*row)
    episodes = int(fields.get("episodes", 0))
    return BreakerStatus(
        name=name,
        state=BreakerState.HALF_OPEN if over else BreakerState(fields.get("state", "closed")),
        generation=int(fields.get("generation", 0)),
        episode=f"{fields['born']}-{episodes}" if episodes else "",
        recent_failures=int(fields.get("streak", 0)),
        open_until=moment_or_none(fields.get("open_until", 0)),
        reason=fields.get("reason", ""),
    )


def state_at(state: str, until: str, now: datetime) -> BreakerState:
    return BreakerState.HALF_OPEN if _is_over(state, until, now) else BreakerState(state)


def _is_over(state: str, until: str, now: datetime) -> bool:
    return state == "open" and int(until) <= since_epoch(now)


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
