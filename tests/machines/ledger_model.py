"""The rules of the ledger (design section 5), as short as they can be said. Times in ms."""

from dataclasses import dataclass, field
from enum import Enum, auto

from surefoot.ports import Fate


class Phase(Enum):
    ABSENT = auto()
    WORKING = auto()
    FREE = auto()
    """The last attempt is over, without an effect of its own."""
    DONE = auto()
    UNKNOWN = auto()


class Refusal(Enum):
    """Why there is no claim."""

    DONE = auto()
    UNKNOWN = auto()
    BUSY = auto()


@dataclass
class LedgerModel:
    """One effect."""

    phase: Phase = Phase.ABSENT
    owner: str = ""
    attempt: int = 0
    fence: int = 0
    lease: int = 0
    attempts: int = 0
    ended: bool = False
    """The attempt that holds the claim has told its failure."""
    requests: dict[int, int] = field(default_factory=dict)
    """Those that may have had an effect: until when they may land, by their fence."""
    result: str | None = None

    @property
    def doubt(self) -> int:
        """Until when an earlier request may land; 0 if there is none."""
        return max((lands for fence, lands in self.requests.items() if fence != self.fence), default=0)

    @property
    def shown(self) -> str:
        if self.phase is Phase.WORKING:
            return "sent" if self.fence in self.requests else "claimed"
        return self.phase.name.lower()

    def claim(self, owner: str, attempt: int, lease: int, lands_within: int | None, at: int) -> Refusal | None:
        """``lands_within`` is None unless the request counts as sent at once."""
        if self.phase in (Phase.DONE, Phase.UNKNOWN):
            return Refusal[self.phase.name]
        same = self.owner == owner
        if self.phase is Phase.WORKING and same and attempt == self.attempt and not self.ended:
            self.lease = at + lease
            return None
        if self.phase is Phase.WORKING and self.lease > at and not (same and attempt > self.attempt):
            return Refusal.BUSY
        self.attempts = self.attempts if same else 0
        self.phase, self.owner, self.attempt, self.ended = Phase.WORKING, owner, attempt, False
        self.fence, self.lease = self.fence + 1, at + lease
        if lands_within is not None:
            self.attempts += 1
            self.requests[self.fence] = at + lands_within
        return None

    def _is_at_work(self, fence: int) -> bool:
        return self.phase is Phase.WORKING and self.fence == fence and not self.ended

    def send(self, fence: int, attempts_before: int, lands_within: int, at: int) -> bool:
        """False if nothing may be sent."""
        if not self._is_at_work(fence):
            return False
        self.attempts = attempts_before + 1
        self.requests[fence] = at + lands_within
        self.lease = max(self.lease, at + lands_within)
        return True

    def renew(self, fence: int, lease: int, at: int) -> bool:
        if self.fence != fence or self.ended:
            return False
        if self.phase is Phase.WORKING:
            self.lease = max(self.lease, at + lease)
        return True

    def complete(self, fence: int, result: str, attempts: int) -> bool:
        if self.phase is not Phase.ABSENT and self.fence != fence:
            return False
        if self.phase is not Phase.DONE:
            self._done(result)
            self.attempts = max(self.attempts, attempts)
        return True

    def _done(self, result: str) -> None:
        self.phase, self.result = Phase.DONE, result
        self.requests.clear()

    def fail(self, fence: int, fate: Fate, reached: bool, at: int) -> bool:
        if self.phase is Phase.ABSENT or self.fence != fence:
            return False
        if not self._is_at_work(fence):
            return True
        if not reached and fence in self.requests:
            self.attempts = max(0, self.attempts - 1)
        self.lease, self.ended = 0, True
        if fate is Fate.UNKNOWN:
            self.phase = Phase.UNKNOWN
        elif fate is Fate.DOUBT and (reached or not self.doubt):
            self.requests[fence] = max(self.requests.get(fence, 0), at)
        else:
            self.phase = Phase.FREE
            self.requests.pop(fence, None)
        if fate is Fate.RELEASED:
            self.owner, self.attempts = "", 0
        return True

    def settle(self, result: str | None, at: int) -> bool:
        """As an operator: done with a result, or not done; False if there is nothing to settle, or it is too early."""
        live = self.phase is Phase.WORKING and self.lease > at
        if live or self.phase in (Phase.ABSENT, Phase.DONE) or (self.phase is not Phase.UNKNOWN and not self.requests):
            return False
        self.fence, self.lease, self.ended = self.fence + 1, 0, False
        if result is not None:
            self._done(result)
        else:
            self.phase, self.owner, self.attempts = Phase.FREE, "", 0
            self.requests.clear()
        return True
