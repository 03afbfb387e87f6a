"""Named instants at which a worker under test stops its own process, as a crash or a frozen machine would."""

import os
import re
import signal
from enum import StrEnum
from typing import Self

from surefoot.errors import InvalidInput

_HOW = re.compile(r"(:([1-9][0-9]*|freeze))?", re.ASCII)


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
    AFTER_PAGE = "after_page"
    """A channel has taken a message of an incident, and Temporal does not know."""
    IN_WATCH = "in_watch"
    """It is seen that what failed works again, and the incident does not know."""
    BEFORE_RECORD = "before_record"
    """The incident is resolved, and its record is not written."""


OF_INCIDENTS = frozenset({CrashPoint.AFTER_PAGE, CrashPoint.IN_WATCH, CrashPoint.BEFORE_RECORD})
"""Points that are reached where an incident lives on, not where a run does."""


class CrashPoints:
    """Does nothing, unless it is armed for one point: then the process dies, or freezes, when it gets there."""

    def __init__(self, armed: CrashPoint | None = None, time: int = 1, *, freezes: bool = False) -> None:
        """``time`` is 1 for the first time that the point is reached."""
        self._armed = armed
        self._left = time
        self._signal = signal.SIGSTOP if freezes else signal.SIGKILL

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Read ``after_effect``, ``after_effect:3`` for the third time, or ``after_effect:freeze``.

        Raises ``InvalidInput``.
        """
        if text is None:
            return cls()
        name, _, how = text.partition(":")
        if name not in set(CrashPoint) or not _HOW.fullmatch(text.removeprefix(name)):
            raise InvalidInput(f"{text!r} is no crash point; points are {', '.join(CrashPoint)}, or one with :3")
        return cls(CrashPoint(name), int(how) if how.isdigit() else 1, freezes=how == "freeze")

    def reach(self, point: CrashPoint) -> None:
        """Send this process SIGKILL, or SIGSTOP, if it is armed for the point and has reached it often enough."""
        if point is not self._armed:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._signal)


UNARMED = CrashPoints()
