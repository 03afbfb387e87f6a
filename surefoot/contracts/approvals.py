"""The human gate: what is asked, and what is decided."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from surefoot.contracts.base import JsonObject, Message


class ApprovalRequest(Message):
    """A tool call that waits for a human.

    ``id`` is a digest of the tool, the shown arguments and the effect key, so that a decision can only be about
    what was shown.
    """

    id: str
    call_id: str
    tool: str
    arguments: JsonObject
    effect_key: str
    asked_at: datetime
    expires_at: datetime


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class ApprovalDecision(Message):
    """Input of the update ``decide``."""

    request_id: str
    verdict: Verdict
    by: str = Field(min_length=1, max_length=255)
    """Who decided."""
    feedback: str = Field(default="", max_length=10_000)
    """Told to the model on rejection."""
    arguments: JsonObject | None = None
    """Edited arguments: the call runs with these instead."""


class ApprovalOutcome(Message):
    """Output of the update ``decide``."""

    request_id: str
    verdict: Verdict
    by: str
    decided_at: datetime
