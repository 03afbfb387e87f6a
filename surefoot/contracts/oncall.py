"""Who is told of an incident, when and how; and what became of telling them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from surefoot.contracts.base import Duration, Message, parse_duration

ChannelName = Literal["pagerduty", "opsgenie", "slack", "webhook", "apprise"]

Delay = Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(0))]


class Level(Message):
    """Responders who are told, if nobody has acknowledged the incident by then."""

    after: Delay = timedelta(0)
    """Since the incident opened, or since this round of the levels began."""
    who: str = Field(min_length=1, max_length=255)
    channels: tuple[ChannelName, ...] = Field(min_length=1)


class Escalation(Message):
    """The levels of one severity, in order. Without levels nobody is told."""

    levels: tuple[Level, ...] = ()
    repeats: int = Field(default=0, ge=0, le=100)
    """How often the levels are gone through again while nobody acknowledges."""
    every: Duration = timedelta(minutes=30)
    """How long a round lasts."""


class Instruction(Message):
    """A command that can be pasted, and what it is for."""

    title: str
    command: str


class Link(Message):
    text: str
    url: str


class Notice(StrEnum):
    """What a message is for. All three carry the incident's one dedup key."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Notification(Message):
    """Input of ``notifications.send``: one message for one channel. Its texts come from outside and are not escaped."""

    channel: ChannelName
    notice: Notice
    incident_id: str
    """Also the dedup key of trigger, acknowledge and resolve."""
    kind: str
    severity: int = Field(ge=1, le=5)
    why: str
    """Why it has this severity."""
    subject: str
    tenant: str
    title: str
    summary: str
    who: str
    """Whom it is for, by the level's name."""
    level: int = 0
    round: int = 0
    opened_at: datetime
    occurrences: int = 1
    instructions: tuple[Instruction, ...] = ()
    links: tuple[Link, ...] = ()
    by: str | None = None
    """Who acknowledged or resolved it, and why."""
    reason: str | None = None


class DeliveryState(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"
    """For good, or after all its attempts: the channel is at fault, and the others went on."""


class Delivery(Message):
    """What became of one message; the result of ``notifications.send`` where it was delivered."""

    channel: ChannelName
    notice: Notice
    who: str
    state: DeliveryState
    at: datetime
    attempts: int = 1
    reference: str = ""
    """What the receiver calls it."""
    problem: str = ""
    """Why it failed, redacted."""
    in_doubt: bool = False
    """It failed, and may have arrived all the same."""
