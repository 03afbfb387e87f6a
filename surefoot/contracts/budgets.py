"""Money: scopes and their limits, holds and what became of them."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field

from surefoot.contracts.base import Message, Nanos

NANOS_PER_DOLLAR = 1_000_000_000


def dollars(nanos: int) -> str:
    """Write nano-dollars as a decimal string of dollars with at least two places: ``500000000`` as ``"0.50"``."""
    sign = "-" if nanos < 0 else ""
    whole, fraction = divmod(abs(nanos), NANOS_PER_DOLLAR)
    return f"{sign}{whole}.{f'{fraction:09d}'.rstrip('0'):0<2}"


class ScopeKind(StrEnum):
    TENANT = "tenant"
    USER = "user"
    SESSION = "session"
    RUN = "run"


class BudgetWindow(StrEnum):
    """How long spending counts. Days and months begin at midnight UTC."""

    FOREVER = "forever"
    DAY = "day"
    MONTH = "month"


class BudgetMode(StrEnum):
    """What a budget does about its lines."""

    ENFORCE = "enforce"
    OBSERVE = "observe"
    """Books and tells crossings, and changes nothing: no refusal, no cheaper model."""
    OFF = "off"
    """Neither checked nor booked."""


class BudgetLimit(Message):
    """A cap, and the share of it from which cheaper models are chosen."""

    limit: Nanos
    soft_percent: int = Field(default=80, ge=0, le=100)
    window: BudgetWindow = BudgetWindow.FOREVER
    mode: BudgetMode = BudgetMode.ENFORCE


def lost_writes(epoch: str) -> bool:
    """Whether the store's epoch began when a hold was missing from it, and not in an empty store."""
    return epoch.endswith("-lost")


class Scope(Message):
    """Something that money is spent for, with the limit that holds for it."""

    kind: ScopeKind
    subject: str = Field(min_length=1, max_length=512)
    budget: BudgetLimit


class ScopeStatus(Message):
    """The books of one scope: settled is spent, held is reserved for calls in flight."""

    kind: ScopeKind
    subject: str
    limit: int
    soft_line: int
    settled: int
    held: int
    unknown: int = 0
    """The part of ``settled`` that was charged at the bound, because the outcome was never learnt."""
    window: str = "forever"
    """The window's start as a date, or ``forever``."""
    resets_at: datetime | None = None
    """When the window ends and the next one begins with nothing spent; None for ``forever``."""
    round: int = 0
    """Times that an operator's act let lines be crossed again in this window."""


def crossing_episode(epoch: str, scope: ScopeStatus, line: Literal["soft", "hard"]) -> str:
    """Names the crossing of a line, once a scope, window and round; ``epoch`` is the store's."""
    again = f":{scope.round}" if scope.round else ""
    return f"{epoch}:{scope.window}:{line}{again}"


def crossed_windows(episode: str) -> tuple[BudgetWindow, ...]:
    """The windows that a crossing's episode can be of: the first of a month begins a day as well."""
    found = re.search(r"(?:^|:)(forever|\d{4}-\d\d-(\d\d)):(?:soft|hard)", episode)
    if found is None:
        return ()
    if found[1] == BudgetWindow.FOREVER:
        return (BudgetWindow.FOREVER,)
    return (BudgetWindow.DAY, BudgetWindow.MONTH) if found[2] == "01" else (BudgetWindow.DAY,)


AS_LISTED = 1000


class Hold(Message):
    """Money reserved before a model call, in every scope at once."""

    id: str
    tenant: str
    scopes: tuple[Scope, ...]
    model: str
    bound: Nanos
    """The most that the call can cost."""
    output_tokens: int
    """The output cap that is really sent with the call."""
    at: datetime
    """When it was reserved, by Redis's clock; it decides the windows that the call is booked in."""
    dearness: int = Field(default=AS_LISTED, ge=AS_LISTED)
    """Thousandths of the listed price that the bound was reckoned at: more for a model that has cost more."""
    epoch: str = ""
    """The store's when the hold was taken. Under the same one it knows the hold, or has lost writes."""


class Crossing(Message):
    """A line that settled money crossed, told once per scope and window to the caller that crossed it."""

    line: Literal["soft", "hard"]
    scope: ScopeStatus
    episode: str


class Charge(Message):
    """What a model call cost, in nano-dollars, and by which model version."""

    hold: Hold
    attempt: int = 1
    cost: Nanos
    model_version: str
    unknown: bool = False
    """Charged at the bound, because the call was given up in flight."""


class PriceDrift(Message):
    """A call that cost more than its bound: its model's price is not what is listed. In nano-dollars."""

    model: str
    model_version: str
    bound: int
    cost: int


class HoldTimes(Message):
    """How long a hold may stay: ``reserved`` is released after this, ``sent`` is charged at its bound."""

    reserved: timedelta = timedelta(minutes=2)
    sent: timedelta = timedelta(minutes=15)
