"""The process's own breaker, with the rules of ``lua/breaker/``, for the time that Redis is away."""

import itertools
import time
from collections.abc import Callable
from datetime import timedelta

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
from surefoot.reliability.breaker import LONGEST_THROTTLE, is_slow
from surefoot.reliability.circuit import Circuit
from surefoot.reliability.recent import Call
from surefoot.reliability.times import milliseconds, moment_or_none, span

THROTTLES = 3

_births = itertools.count()


def wall_clock() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class LocalBreaker:
    """Breakers of this process alone. ``clock`` gives milliseconds since 1970."""

    def __init__(self, clock: Callable[[], int] = wall_clock) -> None:
        self._clock = clock
        self._circuits: dict[str, Circuit] = {}

    def _circuit(self, name: str) -> Circuit:
        if name not in self._circuits:
            self._circuits[name] = Circuit(name, born=f"local-{self._clock()}-{next(_births)}")
        return self._circuits[name]

    async def admit(self, name: str, policy: BreakerPolicy, token: str) -> Admitted | Refused:
        circuit, at = self._circuit(name), self._clock()
        match circuit.state:
            case BreakerState.CLOSED | BreakerState.DISABLED:
                return Admitted(self._permit(circuit, policy, token))
            case BreakerState.FORCED_OPEN:
                return Refused(name, None, circuit.episode)
            case BreakerState.OPEN if at < circuit.open_until:
                told = circuit.tell(f"admit {token}", circuit.generation)
                return Refused(name, span(circuit.open_until - at), circuit.episode, transition=told)
        return self._probe(circuit, policy, token, at)

    def _probe(self, circuit: Circuit, policy: BreakerPolicy, token: str, at: int) -> Admitted | Refused:
        transition = circuit.tell(f"admit {token}", circuit.generation)
        if circuit.state is BreakerState.OPEN:
            transition = circuit.move(
                BreakerState.HALF_OPEN, "the open span is over", f"admit {token}", at, opens_for=circuit.open_span
            )
        circuit.probes = {probe: end for probe, end in circuit.probes.items() if end > at}
        if token not in circuit.probes:
            if len(circuit.probes) >= policy.probes:
                wait = span(min(circuit.probes.values()) - at)
                return Refused(circuit.name, wait, circuit.episode, transition=transition)
            if opened := self._given_up(circuit, policy, token, at):
                return opened
        circuit.probes[token] = at + milliseconds(policy.probe_lease)
        return Admitted(self._permit(circuit, policy, token, probe=token), transition)

    def _given_up(self, circuit: Circuit, policy: BreakerPolicy, token: str, at: int) -> Refused | None:
        """Open again a breaker whose probes all died, unless it was quiet for as long as it would have been open."""
        over = circuit.since + milliseconds(policy.half_open_at_most)
        if at < over:
            return None
        opens_for, wait = circuit.longer(policy, over)
        if at >= over + wait:
            circuit.since = at
            return None
        wait += over - at
        reason, cause = "no probe said how it went", f"admit {token}"
        told = circuit.move(BreakerState.OPEN, reason, cause, at, opens_for=opens_for, wait=wait)
        return Refused(circuit.name, span(wait), circuit.episode, transition=told)

    def _permit(self, circuit: Circuit, policy: BreakerPolicy, token: str, probe: str | None = None) -> Permit:
        return Permit(
            name=circuit.name, generation=circuit.generation, probe=probe, local=True, token=token, policy=policy
        )

    async def report(
        self, permit: Permit, verdict: Verdict, retry_after: timedelta | None, took: timedelta | None = None
    ) -> Transition | None:
        circuit, at = self._circuit(permit.name), self._clock()
        if permit.generation != circuit.generation:
            return circuit.tell(f"report {permit.token}")
        wait = milliseconds(min(retry_after or timedelta(), LONGEST_THROTTLE))
        slow = Sign.SLOW in permit.policy.opens_on and is_slow(permit.policy, took)
        match circuit.state:
            case BreakerState.HALF_OPEN:
                return self._probed(circuit, permit, verdict, wait, at, slow=slow)
            case BreakerState.CLOSED if verdict is Verdict.THROTTLED:
                return self._throttled(circuit, permit, wait, at)
            case BreakerState.CLOSED if verdict is not Verdict.NEUTRAL:
                return self._called(circuit, permit, Call(at, permit.token, verdict is Verdict.FAILURE, slow))
        return None

    def _probed(
        self, circuit: Circuit, permit: Permit, verdict: Verdict, retry_after: int, at: int, *, slow: bool
    ) -> Transition | None:
        place = circuit.probes.pop(permit.token, None)
        if place is None or verdict is Verdict.NEUTRAL:
            return None
        cause, succeeded = f"report {permit.token}", verdict is Verdict.SUCCESS
        if succeeded and not slow:
            return circuit.move(BreakerState.CLOSED, "a probe succeeded", cause, at)
        opens_for, wait = circuit.longer(permit.policy, at)
        if verdict is Verdict.THROTTLED and retry_after:
            wait = retry_after
        reason = "a probe was slow" if succeeded else "a probe failed"
        return circuit.move(BreakerState.OPEN, reason, cause, at, opens_for=opens_for, wait=wait)

    def _called(self, circuit: Circuit, permit: Permit, call: Call) -> Transition | None:
        reason = self._failed(circuit, permit, call.at) if call.failed else None
        reason = reason or circuit.recent.add(call, permit.policy)
        if not call.failed:
            circuit.mend(permit.token)
        if reason is None:
            return None
        opens_for, cause = milliseconds(permit.policy.open_for), f"report {permit.token}"
        return circuit.move(BreakerState.OPEN, reason, cause, call.at, opens_for=opens_for, wait=opens_for)

    def _throttled(self, circuit: Circuit, permit: Permit, retry_after: int, at: int) -> Transition | None:
        if permit.token in circuit.throttles:
            return None
        circuit.throttles.append(permit.token)
        if len(circuit.throttles) < THROTTLES:
            return None
        opens_for = milliseconds(permit.policy.open_for)
        return circuit.move(
            BreakerState.OPEN,
            f"{THROTTLES} times throttled in a row",
            f"report {permit.token}",
            at,
            opens_for=opens_for,
            wait=retry_after or opens_for,
        )

    def _failed(self, circuit: Circuit, permit: Permit, at: int) -> str | None:
        """Count a failure; the reason to open, if it makes enough of them."""
        if any(token == permit.token for _, token in circuit.failures):
            return None
        policy, window = permit.policy, milliseconds(permit.policy.window)
        circuit.failures.appendleft((at, permit.token))
        circuit.streak += 1
        circuit.window = window
        circuit.throttles.clear()
        recent = sum(at - ms < window for ms, _ in circuit.failures)
        if Sign.COUNT in policy.opens_on and recent >= policy.failures:
            return f"{recent} failures within {window / 1000:g} s"
        if Sign.CONSECUTIVE in policy.opens_on and circuit.streak >= policy.consecutive:
            return f"{circuit.streak} failures in a row"
        return None

    async def force(self, name: str, state: BreakerState, reason: str, token: str) -> Transition | None:
        circuit, cause = self._circuit(name), f"force {token}"
        if earlier := circuit.tell(cause):
            return earlier
        if circuit.state is state and state is not BreakerState.CLOSED:
            return None
        return circuit.move(state, reason, cause, self._clock())

    async def status(self, name: str) -> BreakerStatus:
        circuit, at = self._circuit(name), self._clock()
        over = circuit.state is BreakerState.OPEN and circuit.open_until <= at
        return BreakerStatus(
            name=name,
            state=BreakerState.HALF_OPEN if over else circuit.state,
            generation=circuit.generation,
            episode=circuit.episode,
            recent_failures=sum(at - ms < circuit.window for ms, _ in circuit.failures),
            open_until=moment_or_none(circuit.open_until),
            reason=circuit.reason,
        )
