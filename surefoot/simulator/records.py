"""What a world remembers: every effect that really happened, and every request that came."""

from datetime import UTC, datetime

from pydantic import BaseModel, Field, JsonValue

from surefoot.contracts.base import JsonObject, Message
from surefoot.contracts.models import Usage


class EffectEntry(Message):
    """One effect, written at the instant it is applied. ``key`` is the ``Idempotency-Key`` that was sent."""

    n: int
    at: datetime
    target: str
    operation: str
    key: str | None
    body: JsonObject
    """What was asked for."""
    id: str
    """What it became: the order, refund, return, message or article."""


class CallEntry(BaseModel):
    """One request, written when it arrives and completed when it has been answered.

    ``status`` stays None where no answer was given. Of a model call that the model worked on, ``usage`` is what a
    provider would charge, whether or not the answer arrived.
    """

    n: int
    at: datetime
    target: str
    operation: str
    """For a model call, the model that was asked for."""
    method: str
    key: str | None = None
    status: int | None = None
    fault: str | None = None
    model_version: str | None = None
    """The model that served; it decides the price."""
    usage: Usage | None = None


class Sunk(Message):
    """A page or message that reached a sink."""

    n: int
    at: datetime
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue
    """Parsed where it is JSON, the text otherwise."""


class Records:
    """Append-only. Numbers begin at 1 and have no gaps."""

    def __init__(self) -> None:
        self.effects: list[EffectEntry] = []
        self.calls: list[CallEntry] = []

    def effect(self, target: str, operation: str, *, key: str | None, body: JsonObject, id: str) -> EffectEntry:
        entry = EffectEntry(
            n=len(self.effects) + 1,
            at=datetime.now(UTC),
            target=target,
            operation=operation,
            key=key,
            body=body,
            id=id,
        )
        self.effects.append(entry)
        return entry

    def call(self, target: str, operation: str, *, method: str, key: str | None) -> CallEntry:
        entry = CallEntry(
            n=len(self.calls) + 1,
            at=datetime.now(UTC),
            target=target,
            operation=operation,
            method=method,
            key=key,
        )
        self.calls.append(entry)
        return entry
