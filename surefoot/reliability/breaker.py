"""The circuit breaker that the whole fleet shares: its rules are in ``lua/breaker/``, its state in Redis."""

import math
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Protocol

from surefoot.contracts.breakers import (
    BreakerPolicy,
    BreakerState,
    BreakerStatus,
    Permit,
    Sign,
    Transition,
    Verdict,
)
from surefoot.ports import Admitted, Refused
from surefoot.reliability.glance import Glance, state_at, transition_in
from surefoot.reliability.keys import tagged
from surefoot.reliability.store import Row, Step, Store, run
from surefoot.reliability.times import milliseconds, moment, moment_or_none, span

LONGEST_THROTTLE = timedelta(minutes=5)
"""A Retry-After that asks for more is not believed."""
LISTED_FOR = 60.0
"""Seconds after which a name is listed again, since Redis may have been wiped."""


class Breaker(Protocol):
    """What both breakers do, the fleet's and the process's own.

    A ``token`` names the call or the act: repeated with the same token, each method answers the same.
    """

    async def admit(self, name: str, policy: BreakerPolicy, token: str) -> Admitted | Refused: ...

    async def report(
        self, permit: Permit, verdict: Verdict, retry_after: timedelta | None, took: timedelta | None = None
    ) -> Transition | None: ...

    async def force(self, name: str, state: BreakerState, reason: str, token: str) -> Transition | None: ...

    async def status(self, name: str) -> BreakerStatus: ...


class RedisBreaker:
    """Breakers in Redis. The ``…_step`` methods are for batches with other guards."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._listed: dict[str, float] = {}

    def _keys(self, name: str) -> tuple[str, ...]:
        return _keys(self._prefix, name)

    @property
    def _index(self) -> str:
        return f"{self._prefix}:breakers"

    async def admit(self, name: str, policy: BreakerPolicy, token: str) -> Admitted | Refused:
        return await self._store.one(self.admit_step(name, policy, token), *self.listing(name))

    def admit_step(
        self, name: str, policy: BreakerPolicy, token: str, in_place_of: str = ""
    ) -> Step[Admitted | Refused]:
        """``in_place_of`` is the token of a call that has been given up: if it was a probe, its place is free."""

        def read(row: Row) -> Admitted | Refused:
            word, generation, probe, wait, episode, transition = row
            if word == "refuse":
                told = transition_in(name, transition)
                return Refused(name, None if int(wait) < 0 else span(wait), episode, transition=told)
            permit = Permit(
                name=name,
                generation=int(generation),
                probe=token if probe == "1" else None,
                token=token,
                policy=policy,
            )
            return Admitted(permit, transition_in(name, transition))

        spans = (policy.probe_lease, policy.open_for, policy.open_at_most, policy.half_open_at_most)
        arguments: list[str | int] = [token, policy.probes, *map(milliseconds, spans), in_place_of]
        return run("breaker/admit", self._keys(name), arguments, read)

    async def report(
        self, permit: Permit, verdict: Verdict, retry_after: timedelta | None, took: timedelta | None = None
    ) -> Transition | None:
        return await self._store.one(self.report_step(permit, verdict, retry_after, took))

    def report_step(
        self, permit: Permit, verdict: Verdict, retry_after: timedelta | None, took: timedelta | None = None
    ) -> Step[Transition | None]:
        policy = permit.policy
        arguments = (
            permit.token,
            permit.generation,
            verdict.value,
            milliseconds(retry_after or timedelta()),
            judged(policy, Sign.COUNT, policy.failures),
            milliseconds(policy.window),
            judged(policy, Sign.CONSECUTIVE, policy.consecutive),
            *(milliseconds(each) for each in (policy.open_for, policy.open_at_most, LONGEST_THROTTLE)),
            judged(policy, Sign.RATE, policy.rate_percent),
            judged(policy, Sign.SLOW, policy.slow_percent),
            policy.calls,
            int(is_slow(policy, took)),
        )
        return run("breaker/report", self._keys(permit.name), arguments, lambda row: transition_in(permit.name, row[0]))

    async def force(self, name: str, state: BreakerState, reason: str, token: str) -> Transition | None:
        """Hold a breaker ``forced_open`` or ``disabled``, or ``closed`` it; None if it was in that state."""
        step = run(
            "breaker/force", self._keys(name), (state.value, reason, token), lambda row: transition_in(name, row[0])
        )
        return await self._store.one(step, *self.listing(name))

    def listing(self, name: str) -> tuple[Step[None], ...]:
        """The step that puts a name on the list that operators read, if it has not been put there lately."""
        now = time.monotonic()
        if now - self._listed.get(name, -math.inf) < LISTED_FOR:
            return ()
        self._listed[name] = now
        return (Step(("SADD", self._index, name), lambda _: None),)

    async def names(self) -> Sequence[str]:
        return sorted(await self._store.one(Step(("SMEMBERS", self._index), lambda row: row)))

    async def status(self, name: str) -> BreakerStatus:
        return await self._store.one(self.status_step(name))

    def status_step(self, name: str) -> Step[BreakerStatus]:
        def read(row: Row) -> BreakerStatus:
            state, generation, episode, recent, until, reason, now = row
            return BreakerStatus(
                name=name,
                state=state_at(state, until, moment(now)),
                generation=int(generation),
                episode=episode,
                recent_failures=int(recent),
                open_until=moment_or_none(until),
                reason=reason,
            )

        return run("breaker/look", self._keys(name), (), read)

    def peek_step(self, name: str) -> Step[Glance]:
        """A plain read, judged later with the time that another step of the batch brings."""
        return _peek_step(self._prefix, name)


@lru_cache(maxsize=4096)
def _keys(prefix: str, name: str) -> tuple[str, ...]:
    key = tagged(prefix, "breaker", name)
    return (key, *(f"{key}:{part}" for part in ("failures", "transitions", "probes", "calls", "successes")))


@lru_cache(maxsize=4096)
def _peek_step(prefix: str, name: str) -> Step[Glance]:
    return Step(("HGETALL", _keys(prefix, name)[0]), lambda row: Glance(name, row))


def judged(policy: BreakerPolicy, sign: Sign, number: int) -> int:
    """The number, or 0 if the policy does not open on this sign."""
    return number if sign in policy.opens_on else 0


def is_slow(policy: BreakerPolicy, took: timedelta | None) -> bool:
    return took is not None and took > policy.slow_after
