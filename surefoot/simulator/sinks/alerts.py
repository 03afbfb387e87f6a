"""What is left of the messages to the sinks when repetitions are absorbed: alerts, as a pager shows them."""

from datetime import UTC, datetime
from enum import StrEnum

from surefoot.contracts.base import Message


class AlertState(StrEnum):
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Alert(Message):
    """One alert of one sink: what a person was called for, once, however often it was sent."""

    target: str
    key: str
    """The dedup key."""
    state: AlertState = AlertState.TRIGGERED
    count: int = 1
    """Triggers that it absorbed, the first included."""
    title: str
    severity: str = ""
    triggered_at: datetime
    """When the first trigger came."""
    resolved_at: datetime | None = None
    resolves: int = 0
    """Messages that it is over; all but the first change nothing."""


class Alerts:
    """The alerts of one world. A trigger adds to the alert of its key that is not resolved, or opens one."""

    def __init__(self) -> None:
        self.all: list[Alert] = []

    def trigger(self, target: str, key: str, *, title: str, severity: str = "") -> None:
        where = self._live(target, key)
        if where is None:
            now = datetime.now(UTC)
            self.all.append(Alert(target=target, key=key, title=title, severity=severity, triggered_at=now))
        else:
            alert = self.all[where]
            self.all[where] = alert.model_copy(update={"count": alert.count + 1})

    def acknowledge(self, target: str, key: str) -> None:
        """Without an open alert nothing happens, as with the real ones."""
        if (where := self._live(target, key)) is not None:
            self.all[where] = self.all[where].model_copy(update={"state": AlertState.ACKNOWLEDGED})

    def resolve(self, target: str, key: str) -> None:
        """Without an alert nothing happens."""
        where = self._newest(target, key)
        if where is not None:
            alert = self.all[where]
            over = {"state": AlertState.RESOLVED, "resolved_at": alert.resolved_at or datetime.now(UTC)}
            self.all[where] = alert.model_copy(update={**over, "resolves": alert.resolves + 1})

    def _live(self, target: str, key: str) -> int | None:
        where = self._newest(target, key)
        return where if where is not None and self.all[where].state is not AlertState.RESOLVED else None

    def _newest(self, target: str, key: str) -> int | None:
        found = [where for where, alert in enumerate(self.all) if (alert.target, alert.key) == (target, key)]
        return found[-1] if found else None
