"""Notifications, and settings with channels."""

from datetime import UTC, datetime
from typing import Any

from surefoot.contracts.oncall import Instruction, Link, Notice, Notification
from surefoot.settings import Settings, load
from tests.support.workers import as_variables

AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
NAMES = ("pagerduty", "opsgenie", "slack", "webhook")
RUN = "https://temporal.example/namespaces/default/workflows/run%3Aacme%3Ak1?tab=history&page=2"


def set_up(settings: Settings, **more: str) -> Settings:
    """The test's settings and more, by variable name."""
    return load(**{**as_variables(settings), **more}, _env_file=None)


def notification(channel: str = "pagerduty", notice: Notice = Notice.TRIGGER, **given: Any) -> Notification:  # noqa: ANN401
    """One about a breaker that opened."""
    usual: dict[str, Any] = {
        "incident_id": "incident-breaker_open-acme-create_order-e1-7",
        "kind": "breaker_open",
        "severity": 2,
        "why": "a tool that changes something is off",
        "subject": "create_order",
        "tenant": "acme",
        "title": "Breaker create_order opened",
        "summary": "5 of 5 calls failed within 30 s: 503 from the shop.",
        "who": "on call",
        "opened_at": AT,
        "occurrences": 3,
        "instructions": (
            Instruction(title="See the breakers", command="./starter.py breakers"),
            Instruction(title="Let calls through", command="./starter.py breakers reset 'create_order' --by \"$USER\""),
        ),
        "links": (Link(text="The run", url=RUN),),
    }
    if notice is not Notice.TRIGGER:
        usual |= {"by": "alice@example.com", "reason": "the shop is back"}
    return Notification(**{**usual, "channel": channel, "notice": notice, **given})
