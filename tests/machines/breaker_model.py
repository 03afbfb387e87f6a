"""The rules of the circuit breaker (design section 6), as short as they can be said."""

import math
from dataclasses import dataclass, field, replace

from surefoot.contracts.breakers import BreakerPolicy, BreakerState, Sign, Verdict
from surefoot.reliability.times import milliseconds

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
FORCED_OPEN, DISABLED = BreakerState.FORCED_OPEN, BreakerState.DISABLED
THROTTLES = 3
LONGEST_RETRY_AFTER = 300_000


@dataclass(frozen=True)
class Move:
    """A transition, and who caused it."""

    cause: str
    before: BreakerState
    after: BreakerState
    generation: int
    open_until: int


@dataclass(frozen=True)
class Entry:
    """The answer to a call that asks to be let through."""

    passes: bool
    generation: int = 0
    is_probe: bool = False
    wait: int | None = None
    move: Move | None = None


@dataclass
class BreakerModel:
    """All times in ms."""

    policy: BreakerPolicy
    state: BreakerState = CLOSED
    generation: int = 0
    episodes: int = 0
    since: int = 0
    open_until: int = 0
    span: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    streak: int = 0
    throttled: set[str] = field(default_factory=set)
    succeeded: set[str] = field(default_factory=set)
    calls: dict[str, tuple[int, bool, bool]] = field(default_factory=dict)
    probes: dict[str, int] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)

    def shown(self, at: int) -> BreakerState:
        return HALF_OPEN if self.state is OPEN and at >= self.open_until else self.state

    def recent(self, at: int) -> int:
        return sum(at - ms < milliseconds(self.policy.window) for ms in self.failures.values())

    def told(self, cause: str, generation: int | None = None) -> Move | None:
        known = (move for move in self.moves if move.cause == cause and generation in (None, move.generation))
        return max(known, key=lambda move: move.generation, default=None)

    def _move(self, after: BreakerState, cause: str, at: int, *, span: int = 0, open_until: int = 0) -> Move:
        if after in (OPEN, FORCED_OPEN) and self.state in (CLOSED, DISABLED):
            self.episodes += 1
        move = Move(cause, self.state, after, self.generation + 1, open_until)
        fresh = BreakerModel(self.policy, after, self.generation + 1, self.episodes, at, open_until, span)
        self.__dict__.update(replace(fresh, moves=[*self.moves, move]).__dict__)
        return move

    def _longer(self, at: int) -> tuple[int, int]:
        doubled = max(self.span, milliseconds(self.policy.open_for)) * 2
        span = min(doubled, milliseconds(self.policy.open_at_most))
        wait = math.ceil(span * (1 - (at % 100_003 * 31 + self.generation * 7919) % 1000 / 10_000))
        assert span * 0.9 <= wait <= span
        return span, wait

    # Being let through.

    def admit(self, token: str, at: int) -> Entry:
        if self.state in (CLOSED, DISABLED):
            return Entry(True, self.generation)
        if self.state is FORCED_OPEN:
            return Entry(False)
        cause, move = f"admit {token}", None
        if self.state is OPEN:
            if at < self.open_until:
                return Entry(False, wait=self.open_until - at, move=self.told(cause, self.generation))
            move = self._move(HALF_OPEN, cause, at, span=self.span)
        else:
            move = self.told(cause, self.generation)
        return self._probe(token, at, move)

    def _probe(self, token: str, at: int, move: Move | None) -> Entry:
        self.probes = {probe: end for probe, end in self.probes.items() if end > at}
        if token not in self.probes:
            if len(self.probes) >= self.policy.probes:
                return Entry(False, wait=min(self.probes.values()) - at, move=move)
            over = self.since + milliseconds(self.policy.half_open_at_most)
            if at >= over:
                span, wait = self._longer(over)
                if at < over + wait:
                    opened = self._move(OPEN, f"admit {token}", at, span=span, open_until=over + wait)
                    return Entry(False, wait=over + wait - at, move=opened)
                self.since = at
        self.probes[token] = at + milliseconds(self.policy.probe_lease)
        return Entry(True, self.generation, is_probe=True, move=move)

    # Telling how it went.

    def report(
        self, token: str, generation: int, verdict: Verdict, retry_after: int, slow: bool, at: int
    ) -> Move | None:
        cause, slow = f"report {token}", slow and Sign.SLOW in self.policy.opens_on
        retry_after = min(retry_after, LONGEST_RETRY_AFTER)
        if generation != self.generation:
            return self.told(cause)
        if self.state is HALF_OPEN:
            return self._probed(token, cause, verdict, retry_after, slow, at)
        if self.state is not CLOSED or verdict is Verdict.NEUTRAL:
            return None
        if verdict is Verdict.THROTTLED:
            opens, wait = self._throttle(token), retry_after
        else:
            opens, wait = self._count(token, verdict is Verdict.FAILURE, slow, at), 0
        open_for = milliseconds(self.policy.open_for)
        return self._move(OPEN, cause, at, span=open_for, open_until=at + (wait or open_for)) if opens else None

    def _probed(self, token: str, cause: str, verdict: Verdict, retry_after: int, slow: bool, at: int) -> Move | None:
        if self.probes.pop(token, None) is None or verdict is Verdict.NEUTRAL:
            return None
        if verdict is Verdict.SUCCESS and not slow:
            return self._move(CLOSED, cause, at)
        span, wait = self._longer(at)
        if verdict is Verdict.THROTTLED and retry_after:
            wait = retry_after
        return self._move(OPEN, cause, at, span=span, open_until=at + wait)

    def _throttle(self, token: str) -> bool:
        self.throttled.add(token)
        return len(self.throttled) >= THROTTLES

    def _count(self, token: str, failed: bool, slow: bool, at: int) -> bool:
        opens = self._fail(token, at) if failed else False
        opens = opens or self._share(token, failed, slow, at)
        if not failed and token not in self.succeeded:
            self.succeeded.add(token)
            self.streak = 0
            self.throttled.clear()
        return opens

    def _fail(self, token: str, at: int) -> bool:
        if token in self.failures:
            return False
        self.failures[token] = at
        self.streak += 1
        self.throttled.clear()
        policy = self.policy
        return (Sign.COUNT in policy.opens_on and self.recent(at) >= policy.failures) or (
            Sign.CONSECUTIVE in policy.opens_on and self.streak >= policy.consecutive
        )

    def _share(self, token: str, failed: bool, slow: bool, at: int) -> bool:
        policy = self.policy
        if not {Sign.RATE, Sign.SLOW} & set(policy.opens_on) or token in self.calls:
            return False
        self.calls[token] = (at, failed, slow)
        self.calls = {name: call for name, call in self.calls.items() if at - call[0] < milliseconds(policy.window)}
        if len(self.calls) < policy.calls:
            return False
        failures = sum(call[1] for call in self.calls.values())
        slow_ones = sum(call[2] for call in self.calls.values())
        return (Sign.RATE in policy.opens_on and failures * 100 >= policy.rate_percent * len(self.calls)) or (
            Sign.SLOW in policy.opens_on and slow_ones * 100 >= policy.slow_percent * len(self.calls)
        )

    # Operators.

    def force(self, state: BreakerState, token: str, at: int) -> Move | None:
        cause = f"force {token}"
        if earlier := self.told(cause):
            return earlier
        if self.state is state and state is not CLOSED:
            return None
        return self._move(state, cause, at)
