"""The last calls of a window, for breakers of this process that open on a share of them."""

from collections import deque
from dataclasses import dataclass, field

from surefoot.contracts.breakers import BreakerPolicy, Sign
from surefoot.reliability.times import milliseconds

MOST_CALLS = 1000


@dataclass(frozen=True)
class Call:
    at: int
    token: str
    failed: bool
    slow: bool


@dataclass
class RecentCalls:
    """The latest calls, 1,000 at most."""

    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=MOST_CALLS))

    def clear(self) -> None:
        self.calls.clear()

    def add(self, call: Call, policy: BreakerPolicy) -> str | None:
        """Count a call; the reason to open, if too great a share failed or was slow. A repetition is not counted."""
        if not {Sign.RATE, Sign.SLOW}.intersection(policy.opens_on):
            return None
        if any(known.token == call.token for known in self.calls):
            return None
        self.calls.append(call)
        while self.calls[0].at <= call.at - milliseconds(policy.window):
            self.calls.popleft()
        return self._judged(policy)

    def _judged(self, policy: BreakerPolicy) -> str | None:
        count = len(self.calls)
        failed, slow = (sum(call.failed for call in self.calls), sum(call.slow for call in self.calls))
        if count < policy.calls:
            return None
        if Sign.RATE in policy.opens_on and failed * 100 >= policy.rate_percent * count:
            return f"{failed} of {count} calls failed"
        if Sign.SLOW in policy.opens_on and slow * 100 >= policy.slow_percent * count:
            return f"{slow} of {count} calls were slow"
        return None
