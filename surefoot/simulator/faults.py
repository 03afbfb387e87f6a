"""What can go wrong on request: faults, and the board that decides which one strikes."""

import random
import time
from enum import StrEnum

from pydantic import ConfigDict, Field, model_validator

from surefoot.contracts.base import Message


class FaultKind(StrEnum):
    STATUS = "status"
    """Answer ``status``, apply nothing."""
    LATENCY = "latency"
    """Apply and answer after ``seconds``, unless the client has gone by then."""
    HANG = "hang"
    """No answer and nothing applied until the client goes away."""
    HANG_THEN_APPLY = "hang_then_apply"
    """Apply after ``seconds``, although the client may be gone by then."""
    APPLY_THEN_LOSE = "apply_then_lose"
    """Apply, then drop the connection without an answer."""
    RESET = "reset"
    """Reset the connection before anything is applied."""
    CUT = "cut"
    """Apply, send half of the answer, then reset the connection."""
    STALL = "stall"
    """Apply, send half of the answer, then nothing more until the client goes away."""
    MALFORMED = "malformed"
    """Apply, then answer 200 with a body that cannot be parsed."""
    SERVED_AS = "served_as"
    """A model only: answer, but say that ``model`` served."""
    CONTEXT = "context"
    """A model only: refuse prompts of more than ``tokens``, as one with so small a context does."""


class Fault(Message):
    """A fault of one target, limited by count, rate and duration. Times are in seconds.

    ``operation`` is a back end's (``create_order``, ``lookup`` …) or a model's name; every one if None.
    """

    model_config = ConfigDict(extra="forbid")

    id: int = 0
    target: str = Field(min_length=1)
    operation: str | None = None
    kind: FaultKind
    status: int = Field(default=503, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    """Sent as the header ``Retry-After`` with a ``status``."""
    seconds: float = Field(default=1.0, ge=0)
    model: str = ""
    tokens: int = Field(default=0, ge=0)
    skip: int = Field(default=0, ge=0)
    """Lets this many matching requests pass first."""
    count: int | None = Field(default=None, ge=1)
    """Strikes this often; without end if None."""
    rate: float = Field(default=1.0, gt=0, le=1)
    """The share of the matching requests that it strikes."""
    seed: int = 0
    """Of the dice for ``rate``: the same seed strikes the same requests, counted from the fault's setting."""
    duration: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Fault":
        if (self.kind is FaultKind.SERVED_AS) != bool(self.model):
            raise ValueError("model goes with kind 'served_as'")
        if (self.kind is FaultKind.CONTEXT) != bool(self.tokens):
            raise ValueError("tokens go with kind 'context'")
        return self


class _Armed:
    """A fault with what is left of it."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.struck = 0
        self._passed = 0
        self._dice = random.Random(fault.seed)
        self._ends = None if fault.duration is None else time.monotonic() + fault.duration

    @property
    def spent(self) -> bool:
        counted_out = self.fault.count is not None and self.struck >= self.fault.count
        return counted_out or (self._ends is not None and time.monotonic() >= self._ends)

    def concerns(self, target: str, operation: str) -> bool:
        return self.fault.target == target and self.fault.operation in (None, operation)

    def strikes(self) -> bool:
        if self._passed < self.fault.skip:
            self._passed += 1
            return False
        if self._dice.random() >= self.fault.rate:
            return False
        self.struck += 1
        return True


class FaultBoard:
    """The faults of one world. The oldest one that strikes decides."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._last_id = 0

    def set(self, fault: Fault) -> Fault:
        self._last_id += 1
        numbered = fault.model_copy(update={"id": self._last_id})
        self._armed.append(_Armed(numbered))
        return numbered

    def strike(self, target: str, operation: str) -> Fault | None:
        """The fault that this request meets, which is thereby used once."""
        for armed in self._armed:
            if not armed.spent and armed.concerns(target, operation) and armed.strikes():
                return armed.fault
        return None

    def clear(self, target: str | None = None) -> None:
        self._armed = [armed for armed in self._armed if target not in (None, armed.fault.target)]

    @property
    def active(self) -> tuple[Fault, ...]:
        return tuple(armed.fault for armed in self._armed if not armed.spent)
