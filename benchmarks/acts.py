"""What is measured: each guard as its callers use it, from the words that are made to the answer that is read."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerPolicy, Permit, Verdict
from surefoot.contracts.budgets import NANOS_PER_DOLLAR, BudgetLimit, Scope, ScopeKind
from surefoot.contracts.tools import Claim
from surefoot.ports import Proceed, Replay, Reservation, Reserved, Rung
from surefoot.reliability.guards import RedisGuards

LEASE = timedelta(seconds=30)
POLICY = BreakerPolicy()
RESULT: JsonObject = {"order": "A-1001"}
SCOPES = tuple(
    Scope(kind=kind, subject="bench", budget=BudgetLimit(limit=1_000 * NANOS_PER_DOLLAR)) for kind in ScopeKind
)
TOOLS = tuple(f"tool_{number}" for number in range(8))
RUNGS = tuple(Rung(f"gemini:model-{number}", 1_000_000 // (number + 1)) for number in range(3))

Act = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Guard:
    """Something to measure. ``prepare`` makes the act for one sample, ``undo`` follows it; neither is timed."""

    name: str
    limit: float
    """The most that it may cost, as a multiple of PING."""
    prepare: Callable[[], Awaitable[Act]]
    undo: Callable[[Any], Awaitable[None]] | None = None


class Acts:
    """The guards of one worker, and new names for each act."""

    def __init__(self, guards: RedisGuards) -> None:
        self.guards = guards
        self._numbers = itertools.count()

    def all(self) -> list[Guard]:
        """With the limits that are set for them."""
        return [
            Guard("guardrail check, 4 scopes, 3 rungs, 8 tools", 2.5, self._check, self._give_back),
            Guard("admit", 1.6, self._admit),
            Guard("report", 1.6, self._report),
            Guard("claim", 1.6, self._claim),
            Guard("complete", 1.6, self._complete),
            Guard("replay of a done claim", 1.5, self._replay),
            Guard("claim and admit, one batch", 2.2, self._begin),
            Guard("complete and report, one batch", 2.2, self._end),
        ]

    def _new(self) -> str:
        return f"bench-{next(self._numbers)}"

    async def _check(self) -> Act:
        wanted = Reservation(
            hold_id=self._new(), tenant="bench", scopes=SCOPES, rungs=RUNGS, output_tokens=1024, breakers=TOOLS
        )
        return lambda: self.guards.reserve(wanted)

    async def _give_back(self, reserved: Reserved) -> None:
        """As calls that end do, so that the books hold what is in flight and not all that was ever asked for."""
        if reserved.hold is None:
            raise TypeError(f"expected a hold, got {reserved!r}")
        await self.guards.release(reserved.hold)

    async def _admit(self) -> Act:
        token = self._new()
        return lambda: self.guards.breaker.admit("bench", POLICY, token)

    async def _report(self) -> Act:
        permit = (await self.proceed()).permit
        return lambda: self.guards.breaker.report(permit, Verdict.SUCCESS, None)

    def _claiming(self, key: str, owner: str) -> Awaitable[object]:
        ledger = self.guards.ledger
        step = ledger.claim_step(key, owner=owner, attempt=1, lease=LEASE, mark_sent=True, lands_within=LEASE)
        return self.guards.store.one(step)

    async def _claim(self) -> Act:
        key = self._new()
        return lambda: self._claiming(key, "bench")

    async def _complete(self) -> Act:
        claim, _ = await self.claimed()
        return lambda: self.guards.store.one(self.guards.ledger.complete_step(claim, RESULT))

    async def claim_and_complete(self) -> None:
        """The ledger's part of a tool call: one script before it, one after."""
        claim = await self._claiming(self._new(), "bench")
        if not isinstance(claim, Claim):
            raise TypeError(f"expected a claim, got {claim!r}")
        await self.guards.store.one(self.guards.ledger.complete_step(claim, RESULT))

    async def whole_call(self) -> None:
        """All that the guards do for a tool call: claim and admit, complete and report."""
        claim, permit = await self.claimed()
        await self.guards.complete_tool_call(claim, RESULT, permit)

    async def _replay(self) -> Act:
        claim, _ = await self.claimed()
        await self.guards.complete_tool_call(claim, RESULT, None)
        return lambda: self._replayed(claim.key)

    async def _replayed(self, key: str) -> None:
        if not isinstance(await self._claiming(key, "another"), Replay):
            raise TypeError(f"expected a replay of {key!r}")

    async def _begin(self) -> Act:
        key = self._new()
        return lambda: self.proceed(key)

    async def _end(self) -> Act:
        claim, permit = await self.claimed()
        return lambda: self.guards.complete_tool_call(claim, RESULT, permit)

    async def proceed(self, key: str = "") -> Proceed:
        """Claim and admit a call that has not been made."""
        effect_key = key or self._new()
        entry = await self.guards.begin_tool_call(
            tool="bench",
            breaker=POLICY,
            effect_key=effect_key,
            owner=f"owner-{effect_key}",
            attempt=1,
            lease=LEASE,
            mark_sent=True,
            lands_within=LEASE,
        )
        if not isinstance(entry, Proceed):
            raise TypeError(f"expected to proceed, got {entry!r}")
        return entry

    async def claimed(self) -> tuple[Claim, Permit]:
        entry = await self.proceed()
        if entry.claim is None:
            raise TypeError("a keyed call has a claim")
        return entry.claim, entry.permit
