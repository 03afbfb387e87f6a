"""The process's own breaker, with the rules of ``lua/breaker/``, for the time that Redis is away."""

import itertools
import time
from collections.abc import Callable
from datetime import timedelta

from surefoot.contracts.breakers import BreakerPolicy, BreakerState, BreakerStatus, Permit, Transition, Verdict
from surefoot.ports import Admitted, Refused
from surefoot.reliability.breaker import LONGEST_THROTTLE
from surefoot.reliability.circuit import Circuit
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
                return Refused(name, span(circuit.open_until - at), circuit.episode)
        return self._probe(circuit, policy, token, at)

    def _probe(self, circuit: Circuit, policy: BreakerPolicy, token: str, at: int) -> Admitted | Refused:
        transition = circuit.tell(f"admit {token}") if token in circuit.probes else None
        if circuit.state is BreakerState.OPEN:
            transition = circuit.move(
                BreakerState.HALF_OPEN, "the open span is over", f"admit {token}", at, opens_for=circuit.open_span
            )
        circuit.probes = {probe: end for probe, end in circuit.probes.items() if end > at}
        if len(circuit.probes) >= policy.probes and token not in circuit.probes:
            return Refused(circuit.name, span(min(circuit.probes.values()) - at), circuit.episode)
        circuit.probes[token] = at + milliseconds(policy.probe_lease)
        return Admitted(self._permit(circuit, policy, token, probe=token), transition)

    def _permit(self, circuit: Circuit, policy: BreakerPolicy, token: str, probe: str | None = None) -> Permit:
        return Permit(
            name=circuit.name, generation=circuit.generation, probe=probe, local=True, token=token, policy=policy
        )

    async def report(self, permit: Permit, verdict: Verdict, retry_after: timedelta | None) -> Transition | None:
        circuit, at = self._circuit(permit.name), self._clock()
        if permit.generation != circuit.generation:
            return circuit.tell(f"report {permit.token}")
        wait = milliseconds(min(retry_after or timedelta(), LONGEST_THROTTLE))
        match circuit.state:
            case BreakerState.HALF_OPEN:
                return self._probed(circuit, permit, verdict, wait, at)
            case BreakerState.CLOSED:
                return self._called(circuit, permit, verdict, wait, at)
        return None

    def _probed(
        self, circuit: Circuit, permit: Permit, verdict: Verdict, retry_after: int, at: int
    ) -> Transition | None:
        place = circuit.probes.pop(permit.token, None)
        if place is None or verdict is Verdict.NEUTRAL:
            return None
        cause, policy = f"report {permit.token}", permit.policy
        if verdict is Verdict.SUCCESS:
            return circuit.move(BreakerState.CLOSED, "a probe succeeded", cause, at)
        doubled = max(circuit.open_span, milliseconds(policy.open_for)) * 2
        opens_for = min(doubled, milliseconds(policy.open_at_most))
        jitter = (at % 100_003 * 31 + circuit.generation * 7919) % 1000 / 10_000  # up to a tenth shorter
        wait = -int(-opens_for * (1 - jitter) // 1)
        if verdict is Verdict.THROTTLED and retry_after:
            wait = retry_after
        return circuit.move(BreakerState.OPEN, "a probe failed", cause, at, opens_for=opens_for, wait=wait)

    def _called(
        self, circuit: Circuit, permit: Permit, verdict: Verdict, retry_after: int, at: int
    ) -> Transition | None:
        match verdict:
            case Verdict.SUCCESS:
                circuit.streak = 0
                circuit.throttles.clear()
            case Verdict.THROTTLED:
                return self._throttled(circuit, permit, retry_after, at)
            case Verdict.FAILURE:
                return self._failed(circuit, permit, at)
        return None

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

    def _failed(self, circuit: Circuit, permit: Permit, at: int) -> Transition | None:
        if any(token == permit.token for _, token in circuit.failures):
            return None
        policy, window = permit.policy, milliseconds(permit.policy.window)
        circuit.failures.appendleft((at, permit.token))
        circuit.streak += 1
        circuit.window = window
        circuit.throttles.clear()
        recent = sum(at - ms < window for ms, _ in circuit.failures)
        if recent >= policy.failures:
            reason = f"{recent} failures within {window / 1000:g} s"
        elif circuit.streak >= policy.consecutive:
            reason = f"{circuit.streak} failures in a row"
        else:
            return None
        opens_for = milliseconds(policy.open_for)
        return circuit.move(
            BreakerState.OPEN, reason, f"report {permit.token}", at, opens_for=opens_for, wait=opens_for
        )

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
