"""Named instants at which a worker under test kills its own process, as a crash would."""

import os
import signal
from enum import StrEnum
from typing import Self

from surefoot.errors import InvalidInput


class CrashPoint(StrEnum):
    """Where a crash leaves the most in doubt."""

    BEFORE_CLAIM = "before_claim"
    AFTER_CLAIM = "after_claim"
    """Before an ``unsafe`` call is marked sent; others are marked with their claim."""
    AFTER_SENT = "after_sent"
    """Marked, and the request has not left."""
    AFTER_EFFECT = "after_effect"
    """The target has answered, and the ledger does not know."""
    BEFORE_COMPLETION = "before_completion"
    """The ledger knows the result, and Temporal does not."""
    MID_MODEL_CALL = "mid_model_call"
    """The first words have come."""
    BETWEEN_HOLD_AND_SETTLE = "between_hold_and_settle"
    """The model has answered, and nothing is settled."""
    IN_FAILURE_HANDLER = "in_failure_handler"
    """The evidence is gathered, and the runbook is not written."""


class CrashPoints:
    """Does nothing, unless it is armed for one point: then the process dies when it gets there."""

    def __init__(self, armed: CrashPoint | None = None, time: int = 1) -> None:
        """``time`` is 1 for the first time that the point is reached."""
        self._armed = armed
        self._left = time

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Read ``after_effect`` or, for the third time, ``after_effect:3``; raises ``InvalidInput``."""
        if text is None:
            return cls()
        name, colon, time = text.partition(":")
        if name not in set(CrashPoint) or (colon and not (time.isascii() and time.isdigit() and int(time) > 0)):
            raise InvalidInput(f"{text!r} is no crash point; points are {', '.join(CrashPoint)}, or one with :3")
        return cls(CrashPoint(name), int(time) if colon else 1)

    def reach(self, point: CrashPoint) -> None:
        """End this process with SIGKILL if it is armed for the point and has reached it often enough."""
        if point is not self._armed:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


UNARMED = CrashPoints()
