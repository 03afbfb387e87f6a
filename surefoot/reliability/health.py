"""Redis itself: whether it answers, keeps what it is given, and knows the time."""

import time
from dataclasses import dataclass
from datetime import timedelta

from redis import exceptions

from surefoot.errors import InvalidInput
from surefoot.reliability.opening import opened_store
from surefoot.reliability.store import Row, Step
from surefoot.settings import Settings


@dataclass(frozen=True)
class Health:
    """What Redis says of itself."""

    version: tuple[int, ...]
    eviction: str
    """What it does when memory runs out; must be ``noeviction``."""
    append_only: bool
    """Every write goes to a file."""
    clock_ahead: timedelta
    """Redis's clock less ours, exact to half a round trip."""


async def look(settings: Settings) -> Health:
    """Ask Redis; raises ``StoreUnavailable``, or ``InvalidInput`` where it forbids the question."""
    asked = time.time()
    try:
        async with opened_store(settings) as store:
            info, clock = await store.two(Step(("INFO",), _facts), Step(("TIME",), _seconds))
    except exceptions.ResponseError as error:
        raise InvalidInput(f"Redis refuses INFO or TIME ({error}); allow them to this user") from None
    return Health(
        version=tuple(int(part) for part in info["redis_version"].split(".")),
        eviction=info["maxmemory_policy"],
        append_only=info["aof_enabled"] == "1",
        clock_ahead=timedelta(seconds=clock - (asked + time.time()) / 2),
    )


def _facts(row: Row) -> dict[str, str]:
    pairs = (line.partition(":") for line in row[0].splitlines())
    return {name: value for name, _, value in pairs}


def _seconds(row: Row) -> float:
    return int(row[0]) + int(row[1]) / 1_000_000
