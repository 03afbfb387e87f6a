"""What is left of the messages to the sinks when repetitions are absorbed: alerts, as a pager shows them."""

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


class Alerts:
    """The alerts of one world. A trigger adds to the alert of its key that is not resolved, or opens one."""

    def __init__(self) -> None:
        self.all: list[Alert] = []

    def trigger(self, target: str, key: str, *, title: str, severity: str = "") -> None:
        where = self._live(target, key)
        if where is None:
            self.all.append(Alert(target=target, key=key, title=title, severity=severity))
        else:
            alert = self.all[where]
            self.all[where] = alert.model_copy(update={"count": alert.count + 1})

    def acknowledge(self, target: str, key: str) -> None:
        """Without an open alert nothing happens, as with the real ones."""
        self._become(target, key, AlertState.ACKNOWLEDGED)

    def resolve(self, target: str, key: str) -> None:
        self._become(target, key, AlertState.RESOLVED)

    def _become(self, target: str, key: str, state: AlertState) -> None:
        if (where := self._live(target, key)) is not None:
            self.all[where] = self.all[where].model_copy(update={"state": state})

    def _live(self, target: str, key: str) -> int | None:
        for where, alert in enumerate(self.all):
            if (alert.target, alert.key) == (target, key) and alert.state is not AlertState.RESOLVED:
                return where
        return None
