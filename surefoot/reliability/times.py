"""Redis counts time in whole milliseconds since 1970; Surefoot speaks ``datetime`` and ``timedelta``."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime.fromtimestamp(0, UTC)
MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=1024)
def milliseconds(span: timedelta) -> int:
    """Whole milliseconds, rounded up, at least 0."""
    return max(0, -(-span // MILLISECOND))


def moment(ms: str | int) -> datetime:
    """The moment, in UTC, of so many milliseconds since 1970."""
    return EPOCH + span(ms)


def moment_or_none(ms: str | int) -> datetime | None:
    """As ``moment``; None for 0 or nothing."""
    return moment(ms) if int(ms or 0) else None


def span(ms: str | int) -> timedelta:
    return timedelta(milliseconds=int(ms))


def since_epoch(at: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (at - EPOCH) // MILLISECOND
