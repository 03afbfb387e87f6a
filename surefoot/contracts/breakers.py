"""The circuit breaker: its policy, its permits and its transitions."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from surefoot.contracts.base import Duration, Message


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    DISABLED = "disabled"


class BreakerPolicy(Message):
    """When a breaker opens and for how long. Defaults: design section 6."""

    failures: int = Field(default=5, ge=1, le=1000)
    """This many failures within ``window`` open it."""
    window: Duration = timedelta(seconds=30)
    consecutive: int = Field(default=5, ge=1, le=1000)
    """This many failures in a row open it, however far apart."""
    open_for: Duration = timedelta(seconds=30)
    """Doubles with each failed probe, with jitter, up to ``open_at_most``."""
    open_at_most: Duration = timedelta(minutes=5)
    probes: int = Field(default=1, ge=1, le=100)
    """Calls let through at a time while half-open, in the whole fleet."""
    probe_lease: Duration = timedelta(seconds=30)
    """A prober that dies frees its place after this long."""


class Verdict(StrEnum):
    """What a call says about the health of what it called."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    """A caller's mistake, a refusal or a cancellation: the permit is given back, nothing is learnt."""
    THROTTLED = "throttled"
    """429: three in a row open the breaker for the Retry-After."""


class Permit(Message):
    """The right to make one call. A report that carries an older generation changes nothing."""

    name: str
    generation: int
    probe: str | None = None
    """The leased token of a half-open probe."""
    local: bool = False
    """Issued by the process-local breaker while Redis was away."""
    token: str = ""
    """Names the call, so that reporting it twice counts once."""
    policy: BreakerPolicy = BreakerPolicy()
    """What the call was admitted under, and so what its report is judged by."""


class Transition(Message):
    """A change of a breaker's state, handed exactly once to the caller that caused it."""

    name: str
    before: BreakerState
    after: BreakerState
    generation: int
    episode: str
    """Names the time from one opening to the closing that ends it; differs after Redis was wiped."""
    reason: str
    at: datetime
    open_until: datetime | None = None


class BreakerStatus(Message):
    """What a breaker says when it is asked."""

    name: str
    state: BreakerState
    generation: int = 0
    episode: str = ""
    recent_failures: int = 0
    open_until: datetime | None = None
    reason: str = ""
