"""Channels whose messages a test reads, and the on-call policies that lead to them."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from surefoot.contracts.incidents import IncidentKind
from surefoot.contracts.oncall import Notice, Notification
from surefoot.errors import DeliveryFailure, Fault
from surefoot.incidents.oncall import OnCall
from surefoot.incidents.oncall_file import PolicyFile
from surefoot.ports import ChannelPort

SINKS = ("pagerduty", "slack")


@dataclass
class Sink:
    """A channel that keeps what it is sent, and may be out of order."""

    taken: list[Notification] = field(default_factory=list)
    failure: DeliveryFailure | None = None
    slow: timedelta = timedelta(0)
    attempts: int = 0

    async def send(self, notification: Notification) -> str:
        self.attempts += 1
        await asyncio.sleep(self.slow.total_seconds())
        if self.failure:
            raise self.failure
        self.taken.append(notification)
        return f"message-{len(self.taken)}"

    def told(self, incident_id: str) -> list[tuple[Notice, str]]:
        """What this incident said here, in order, and for whom."""
        return [(one.notice, one.who) for one in self.taken if one.incident_id == incident_id]

    def counted(self, incident_id: str) -> Counter[Notice]:
        return Counter(notice for notice, _ in self.told(incident_id))


REFUSES = DeliveryFailure("401: this key is not known", fault=Fault.PERMANENT, status=401)
DOWN = DeliveryFailure("503 from the chat", fault=Fault.RETRYABLE, status=503)


class Sinks(dict[str, ChannelPort]):
    """One sink for each channel."""

    def __init__(self, **sinks: Sink) -> None:
        self.pagerduty = sinks.get("pagerduty", Sink())
        self.slack = sinks.get("slack", Sink())
        super().__init__(pagerduty=self.pagerduty, slack=self.slack)


def policy(
    *levels: tuple[str, str, str], repeats: int = 0, every: str = "30m", watch: str = "5m", stale: str = "7d"
) -> OnCall:
    """One whose every incident is a SEV2 with these levels, each a time, a name and its channels."""
    written = [{"after": after, "who": who, "channels": channels.split()} for after, who, channels in levels]
    loud = {"levels": written, "repeats": repeats, "every": every}
    rules = [{"kind": kind, "severity": "SEV2", "why": "it is a test"} for kind in IncidentKind]
    return OnCall(
        PolicyFile.model_validate(
            {
                "incidents": {"watch_every": watch, "stale_after": stale},
                "severity": rules,
                "escalation": {f"SEV{n}": loud if n == 2 else {} for n in range(1, 6)},
            }
        )
    )


FIRST = policy(("0s", "first", "pagerduty slack"))
"""One level, at once."""
