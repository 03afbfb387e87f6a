"""The breaker against its model: many callers, lost replies, dead probers, late reports, a clock that jumps."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from surefoot.contracts.breakers import BreakerPolicy, BreakerState, Permit, Sign, Transition, Verdict
from surefoot.ports import Admitted, Refused
from surefoot.reliability.local_breaker import LocalBreaker
from surefoot.reliability.times import milliseconds, since_epoch
from tests.machines.breaker_model import BreakerModel, Entry, Move
from tests.machines.fleet import Entered, FleetMachine, Lost, Way, clients, hold, ways

NAME = "orders"
SECOND = timedelta(seconds=1)
COUNTING = (Sign.COUNT, Sign.CONSECUTIVE)
REMEMBERED = 8
"""Reports back to which a repetition is tried."""

policies = st.builds(
    BreakerPolicy,
    opens_on=st.sampled_from([COUNTING, (Sign.CONSECUTIVE,), (Sign.RATE, Sign.SLOW), (Sign.COUNT, Sign.RATE)]),
    failures=st.integers(2, 3),
    consecutive=st.integers(1, 3),
    calls=st.integers(2, 4),
    window=st.just(SECOND * 10),
    open_for=st.just(SECOND * 4),
    open_at_most=st.just(SECOND * 20),
    probes=st.integers(1, 2),
    probe_lease=st.just(SECOND * 3),
    half_open_at_most=st.just(SECOND * 12),
)
verdicts = st.sampled_from([Verdict.FAILURE, Verdict.FAILURE, *Verdict])
jumps = st.sampled_from([1, 500, 3_000, 4_000, 9_999, 20_000, -700, -5_000])


@dataclass(frozen=True)
class Call:
    """A call that was let through, by the fleet's breaker and by a process's own."""

    token: str
    shared: Permit
    own: Permit


@dataclass(frozen=True)
class Told:
    """A report, as it was made the first time."""

    call: Call
    verdict: Verdict
    retry_after: timedelta
    took: timedelta
    number: int


class BreakerMachine(FleetMachine):
    """Every answer and every state is the model's; and what the model cannot know is counted here."""

    calls: Bundle[Call] = Bundle("calls")
    reports: Bundle[Told] = Bundle("reports")

    def __init__(self) -> None:
        super().__init__()
        self.fleet.new_world()
        self.own = LocalBreaker(self.fleet.clock)
        self.model = BreakerModel(BreakerPolicy())
        self.latest = self.fleet.clock.at
        self.number = 0
        self.probing: dict[str, int] = {}
        self.cause_of: dict[int, str] = {}
        self.unheard: set[int] = set()

    @initialize(policy=policies)
    def begin(self, policy: BreakerPolicy) -> None:
        self.model = BreakerModel(policy)

    def token(self) -> str:
        self.number += 1
        return f"call-{self.number}"

    # What happens.

    @rule(target=calls, way=ways)
    def admit(self, way: Way) -> Entered[Call]:
        return self._admit(self.token(), way)

    @rule(target=calls, call=consumes(calls), way=ways)
    def admit_again(self, call: Call, way: Way) -> Entered[Call]:
        """Late, as by a caller that learnt nothing of the first time."""
        return self._admit(call.token, way)

    def _admit(self, token: str, way: Way) -> Entered[Call]:
        policy, at = self.model.policy, self.fleet.clock.at
        expected = self.model.admit(token, at)
        shared = self.fleet.do(lambda guards: guards.breaker.admit(NAME, policy, token), way)
        own = self.fleet.run(self.own.admit(NAME, policy, token))
        self._check_entry(own, expected, f"admit {token}", tell=False)
        if expected.is_probe:
            self._watch_probe(token, at + milliseconds(policy.probe_lease))
        if isinstance(shared, Lost):
            self._unheard(expected.move)
            return multiple()
        self._check_entry(shared, expected, f"admit {token}", tell=True)
        again = self.fleet.ask(lambda guards: guards.breaker.admit(NAME, policy, token), way.repeats)
        assert again == shared, "asked again, it answers the same"
        if not (isinstance(shared, Admitted) and isinstance(own, Admitted)):
            return multiple()
        return Call(token, shared.permit, own.permit)

    @rule(
        target=reports,
        call=consumes(calls),
        verdict=verdicts,
        retry_after=st.sampled_from([0, 0, 7, 1000]),
        took=st.sampled_from([1, 9]),
        way=ways,
    )
    def report(self, call: Call, verdict: Verdict, retry_after: int, took: int, way: Way) -> Told:
        self.number += 1
        told = Told(call, verdict, timedelta(seconds=retry_after), timedelta(seconds=took), self.number)
        self._report(told, way)
        return told

    @rule(told=reports, client=clients)
    def report_again(self, told: Told, client: int) -> None:
        if self.number - told.number <= REMEMBERED:
            self._report(told, Way(client))

    def _report(self, told: Told, way: Way) -> None:
        call, slow = told.call, told.took > self.model.policy.slow_after
        expected = self.model.report(
            call.token, call.shared.generation, told.verdict, milliseconds(told.retry_after), slow, self.fleet.clock.at
        )
        arguments = (told.verdict, told.retry_after, told.took)
        shared = self.fleet.do(lambda guards: guards.breaker.report(call.shared, *arguments), way)
        own = self.fleet.run(self.own.report(call.own, *arguments))
        self._check_move(own, expected, tell=False)
        if call.shared.generation == self.model.generation:
            self.probing.pop(call.token, None)
        if isinstance(shared, Lost):
            self._unheard(expected)
        else:
            self._check_move(shared, expected, tell=True)

    @precondition(lambda self: self.number % 7 == 0)
    @rule(state=st.sampled_from([BreakerState.FORCED_OPEN, BreakerState.DISABLED, BreakerState.CLOSED]), way=ways)
    def force(self, state: BreakerState, way: Way) -> None:
        token = self.token()
        expected = self.model.force(state, token, self.fleet.clock.at)
        shared = self.fleet.do(lambda guards: guards.breaker.force(NAME, state, "why", token), way)
        self._check_move(self.fleet.run(self.own.force(NAME, state, "why", token)), expected, tell=False)
        if isinstance(shared, Lost):
            self._unheard(expected)
        else:
            self._check_move(shared, expected, tell=True)

    @rule(times=st.integers(1, 3), way=ways)
    def fail(self, times: int, way: Way) -> None:
        """As calls to a target that is down do."""
        self._fail(times, way)

    def _fail(self, times: int, way: Way) -> None:
        for _ in range(times):
            call = self._admit(self.token(), Way(way.client))
            if isinstance(call, Call):
                self._report(Told(call, Verdict.FAILURE, timedelta(), SECOND, self.number), way)

    @rule(before=st.integers(0, 2), after=st.integers(1, 2), way=ways)
    def hear_of_a_success_again_amid_failures(self, before: int, after: int, way: Way) -> None:
        """As when the reply to its report was lost, and it is booked later."""
        call = self._admit(self.token(), Way(way.client))
        if isinstance(call, Call):
            done = Told(call, Verdict.SUCCESS, timedelta(), SECOND, self.number)
            self._report(done, way)
            self._fail(before, way)
            self._report(done, way)
            self._fail(after, way)

    @precondition(lambda self: self.model.state is BreakerState.OPEN)
    @rule(target=calls, early=st.sampled_from([0, 0, 1]), way=ways)
    def try_when_the_open_span_is_over(self, early: int, way: Way) -> Entered[Call]:
        self.fleet.clock.at = self.model.open_until - early
        self.latest = max(self.latest, self.fleet.clock.at)
        return self._admit(self.token(), way)

    @precondition(lambda self: self.model.probes)
    @rule(target=calls, early=st.sampled_from([0, 0, 1]), way=ways)
    def replace_a_probe_that_is_late(self, early: int, way: Way) -> Entered[Call]:
        self.fleet.clock.at = min(self.model.probes.values()) - early
        self.latest = max(self.latest, self.fleet.clock.at)
        return self._admit(self.token(), way)

    @rule(ms=jumps)
    def step_the_clock(self, ms: int) -> None:
        self.fleet.clock.at += ms
        self.latest = max(self.latest, self.fleet.clock.at)

    # What must hold.

    def _check_entry(self, entry: Admitted | Refused, expected: Entry, cause: str, *, tell: bool) -> None:
        if isinstance(entry, Admitted):
            seen = Entry(True, entry.permit.generation, entry.permit.probe is not None, move=expected.move)
        else:
            wait = None if entry.retry_after is None else milliseconds(entry.retry_after)
            seen = Entry(False, wait=wait, move=expected.move)
        assert seen == expected, f"{entry!r} to {cause!r}"
        self._check_move(entry.transition, expected.move, tell=tell)

    def _check_move(self, transition: Transition | None, expected: Move | None, *, tell: bool) -> None:
        assert (transition is None) == (expected is None), f"{transition!r} is told, {expected!r} happened"
        if transition is None or expected is None:
            return
        until = 0 if transition.open_until is None else since_epoch(transition.open_until)
        seen = Move(expected.cause, transition.before, transition.after, transition.generation, until)
        assert seen == expected
        if tell:
            assert self.cause_of.setdefault(expected.generation, expected.cause) == expected.cause, "told to one alone"

    def _unheard(self, move: Move | None) -> None:
        if move:
            self.unheard.add(move.generation)

    def _watch_probe(self, token: str, end: int) -> None:
        self.probing = {probe: until for probe, until in self.probing.items() if until > self.latest}
        self.probing[token] = end

    @invariant()
    def all_clients_see_the_model(self) -> None:
        at = self.fleet.clock.at
        own = self.fleet.run(self.own.status(NAME))
        for status in (own, self.fleet.ask(lambda guards: guards.breaker.status(NAME))):
            assert (status.state, status.generation) == (self.model.shown(at), self.model.generation)
            until = 0 if status.open_until is None else since_epoch(status.open_until)
            assert until == self.model.open_until
            assert status.recent_failures == self.model.recent(at)
            assert status.episode.rpartition("-")[2] == (str(self.model.episodes) if self.model.episodes else "")

    @invariant()
    def no_more_probes_are_under_way_than_the_policy_allows(self) -> None:
        if self.model.state is not BreakerState.HALF_OPEN:
            self.probing.clear()
        assert len(self.probing) <= self.model.policy.probes

    def teardown(self) -> None:
        """Every transition has been told, unless whoever caused it died."""
        assert set(self.cause_of) | self.unheard == set(range(1, self.model.generation + 1))


def test_the_breaker_keeps_its_rules_whatever_happens(own_redis: str) -> None:
    hold(BreakerMachine, own_redis)
