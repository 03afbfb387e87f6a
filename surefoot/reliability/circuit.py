"""The state of one breaker of this process."""

from collections import deque
from dataclasses import dataclass, field

from surefoot.contracts.breakers import BreakerPolicy, BreakerState, Transition
from surefoot.reliability.recent import RecentCalls
from surefoot.reliability.times import milliseconds, moment, moment_or_none

REMEMBERED = 16
"""Transitions whose cause is known, so that a repetition is answered as the first time."""
MOST_FAILURES = 1000
"""The most that a policy can ask to count."""
MOST_SUCCESSES = 256
"""Those that are known when they are told again."""


@dataclass
class Circuit:
    """One breaker. Every transition begins a new generation, with nothing counted and no probe under way."""

    name: str
    born: str
    state: BreakerState = BreakerState.CLOSED
    generation: int = 0
    episodes: int = 0
    open_until: int = 0
    open_span: int = 0
    since: int = 0
    reason: str = ""
    streak: int = 0
    window: int = 0
    failures: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=MOST_FAILURES))
    recent: RecentCalls = field(default_factory=RecentCalls)
    throttles: list[str] = field(default_factory=list)
    successes: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_SUCCESSES))
    probes: dict[str, int] = field(default_factory=dict)
    told: deque[tuple[str, Transition]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    @property
    def episode(self) -> str:
        return f"{self.born}-{self.episodes}" if self.episodes else ""

    def tell(self, cause: str, generation: int | None = None) -> Transition | None:
        """The transition that this cause brought about, if any; only that of a generation, if one is given."""
        told = (transition for earlier, transition in self.told if earlier == cause)
        return next((one for one in told if generation in (None, one.generation)), None)

    def mend(self, token: str) -> None:
        """End the row of failures. A success that is known already, told late, ends none after it."""
        if token in self.successes:
            return
        self.successes.append(token)
        self.streak = 0
        self.throttles.clear()

    def longer(self, policy: BreakerPolicy, at: int) -> tuple[int, int]:
        """The next open span, twice the last one, and how long it is with its jitter: up to a tenth shorter."""
        doubled = max(self.open_span, milliseconds(policy.open_for)) * 2
        opens_for = min(doubled, milliseconds(policy.open_at_most))
        jitter = (at % 100_003 * 31 + self.generation * 7919) % 1000 / 10_000
        return opens_for, -int(-opens_for * (1 - jitter) // 1)

    def move(
        self, after: BreakerState, reason: str, cause: str, at: int, *, opens_for: int = 0, wait: int = 0
    ) -> Transition:
        opening = after in (BreakerState.OPEN, BreakerState.FORCED_OPEN)
        if opening and self.state in (BreakerState.CLOSED, BreakerState.DISABLED):
            self.episodes += 1
        before, self.state = self.state, after
        self.generation += 1
        self.reason = reason
        self.open_span = opens_for
        self.open_until = at + wait if after is BreakerState.OPEN else 0
        self.streak = 0
        self.since = at
        for counted in (self.failures, self.recent, self.throttles, self.successes, self.probes):
            counted.clear()
        transition = Transition(
            name=self.name,
            before=before,
            after=after,
            generation=self.generation,
            episode=self.episode,
            reason=reason,
            at=moment(at),
            open_until=moment_or_none(self.open_until),
        )
        self.told.append((cause, transition))
        return transition
