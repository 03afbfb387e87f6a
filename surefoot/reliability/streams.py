"""The words of a running model call, to be followed from elsewhere. Losing them loses nothing."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import structlog

from surefoot.errors import StoreUnavailable
from surefoot.reliability.keys import tagged
from surefoot.reliability.store import Step, Store
from surefoot.reliability.times import milliseconds

log = structlog.get_logger()

PIECES = 1000
"""About as many of a run's latest pieces are kept."""
KEPT = timedelta(hours=1)
PAUSE = 1.0
"""Seconds without a try after Redis did not answer, so that an outage does not slow a model's answer down."""
LOOK = timedelta(seconds=5)


@dataclass(frozen=True)
class Piece:
    """Some words of one turn's answer. ``id`` is where a reader that was cut off goes on."""

    id: str
    turn: int
    text: str


class RedisTextStream:
    """The port ``TextStream`` on Redis, and its reading end."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._paused_until = 0.0

    def _key(self, run_id: str) -> str:
        return tagged(self._prefix, "text", run_id)

    async def publish(self, run_id: str, turn: int, text: str) -> None:
        """Drops the words while Redis does not answer, and says so in the log."""
        if not text or time.monotonic() < self._paused_until:
            return
        key = self._key(run_id)
        adding = Step(("XADD", key, "MAXLEN", "~", PIECES, "*", "turn", turn, "text", text), lambda _: None)
        keeping = Step(("PEXPIRE", key, milliseconds(KEPT)), lambda _: None)
        try:
            await self._store.many([adding, keeping])
        except StoreUnavailable as error:
            self._paused_until = time.monotonic() + PAUSE
            log.warning("words of a model were not published", run=run_id, turn=turn, why=str(error))

    async def follow(self, run_id: str, after: str = "0") -> AsyncIterator[Piece]:
        """The pieces so far, then each new one, for as long as the caller reads."""
        last = after
        while True:
            for entry, fields in await self._store.read(self._key(run_id), last, LOOK):
                last = entry
                yield Piece(entry, int(fields["turn"]), fields["text"])
