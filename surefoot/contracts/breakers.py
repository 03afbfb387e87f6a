"""The circuit breaker: its policy, its permits and its transitions."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator

from surefoot.contracts.base import EVERY_FIELD, Duration, Message, Terse


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    DISABLED = "disabled"


class Sign(StrEnum):
    """What a breaker can open on."""

    COUNT = "count"
    """So many failures within the window."""
    CONSECUTIVE = "consecutive"
    """So many failures in a row, however far apart."""
    RATE = "rate"
    """Such a share of the window's calls failed."""
    SLOW = "slow"
    """Such a share of the window's calls was slow."""


class BreakerPolicy(Terse):
    """When a breaker opens and for how long. Defaults: design section 6. They never change, since calls leave them out.

    It opens on the first of the signs in ``opens_on``. A share is judged only once the window has ``calls`` calls,
    and over the latest 1,000 of them at most.
    """

    fixed: ClassVar[frozenset[str]] = EVERY_FIELD
    opens_on: tuple[Sign, ...] = (Sign.COUNT, Sign.CONSECUTIVE)
    failures: int = Field(default=5, ge=1, le=1000)
    """This many failures within ``window`` open it."""
    window: Duration = timedelta(seconds=30)
    consecutive: int = Field(default=5, ge=1, le=1000)
    """This many failures in a row open it, however far apart."""
    rate_percent: int = Field(default=50, ge=1, le=100)
    """This share of failed calls opens it, where it opens on ``rate``."""
    slow_percent: int = Field(default=80, ge=1, le=100)
    """This share of slow calls opens it, where it opens on ``slow``; a slow probe then counts as a failed one."""
    slow_after: Duration = timedelta(seconds=5)
    """A call that takes longer is slow."""
    calls: int = Field(default=20, ge=1, le=1000)
    """The fewest calls of which a share says anything."""
    open_for: Duration = timedelta(seconds=30)
    """Doubles with each failed probe, with jitter, up to ``open_at_most``."""
    open_at_most: Duration = Field(default=timedelta(minutes=5), validate_default=True)
    probes: int = Field(default=1, ge=1, le=100)
    """Calls let through at a time while half-open, in the whole fleet."""
    probe_lease: Duration = timedelta(seconds=30)
    """A prober that dies frees its place after this long."""
    half_open_at_most: Duration = Field(default=timedelta(minutes=5), validate_default=True)
    """Each dead prober is replaced until then; with no word from any of them, it opens again as after a failed one."""
    by_tenant: bool = False
    """Each tenant has a breaker of its own."""

    @field_validator("opens_on")
    @classmethod
    def _opens_on_something(cls, signs: tuple[Sign, ...]) -> tuple[Sign, ...]:
        if not signs:
            raise ValueError("must name at least one sign, or the breaker never opens")
        return signs

    @field_validator("open_at_most")
    @classmethod
    def _backs_off(cls, longest: timedelta, info: ValidationInfo) -> timedelta:
        return _not_shorter(longest, "open_for", info)

    @field_validator("half_open_at_most")
    @classmethod
    def _outlasts_a_probe(cls, longest: timedelta, info: ValidationInfo) -> timedelta:
        return _not_shorter(longest, "probe_lease", info)

    def outlasting(self, call: timedelta) -> "BreakerPolicy":
        """The same, with a lease that a probe of this length does not outlive: its place is not given away."""
        lease = max(self.probe_lease, call)
        return self.model_copy(update={"probe_lease": lease, "half_open_at_most": max(self.half_open_at_most, lease)})

    def name_for(self, subject: str, tenant: str) -> str:
        """The name of the breaker of a tool or model, for calls of a tenant."""
        return f"{subject}@{tenant}" if self.by_tenant else subject


def _not_shorter(longest: timedelta, name: str, info: ValidationInfo) -> timedelta:
    other: timedelta | None = info.data.get(name)  # not there if it is wrong itself, which is told already
    if other is not None and longest < other:
        raise ValueError(f"must not be shorter than {name}")
    return longest


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
