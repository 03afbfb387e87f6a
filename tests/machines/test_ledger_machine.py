"""The ledger against its model: several owners, attempts that die, zombies, lost replies, leases that run out."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, multiple, rule

from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerState, Verdict
from surefoot.contracts.guardrails import Act
from surefoot.contracts.tools import Claim
from surefoot.errors import InvalidInput, NotFound, Superseded
from surefoot.ports import Busy, Doubtful, Fate, Proceed, Refused, Replay
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.times import moment, span
from tests.machines.fleet import Entered, FleetMachine, Lost, Way, clients, hold, ways
from tests.machines.ledger_model import LedgerModel, Phase, Refusal
from tests.reliability.given import NEVER_ON_COUNT

TOOL = "orders"
LEASE = timedelta(seconds=10)
LANDS_WITHIN = timedelta(seconds=6)
EFFECTS = ("order A", "order B")
OWNERS = ("run-1/5", "run-1/9", "run-2/5")

effects = st.sampled_from(EFFECTS)
owners = st.sampled_from(OWNERS)
jumps = st.sampled_from([1, 3_000, 6_000, 10_000, 10_001, 60_000, -1_000, -7_000])


@dataclass
class Attempt:
    """One attempt at an effect, with what it knows of its claim."""

    effect: str
    claim: Claim
    sent: bool


async def mark_sent(guards: RedisGuards, claim: Claim) -> Claim | None:
    try:
        return await guards.mark_sent(claim, lands_within=LANDS_WITHIN)
    except Superseded:
        return None


async def settle(guards: RedisGuards, effect: str, result: str | None, act: Act) -> bool:
    try:
        await guards.ledger.settle(effect, result, act)
    except (InvalidInput, NotFound):
        return False
    return True


class LedgerMachine(FleetMachine):
    """Every answer and every claim is the model's; and no effect that is done or in doubt is forgotten."""

    attempts: Bundle[Attempt] = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.fleet.new_world()
        self.model = {effect: LedgerModel() for effect in EFFECTS}
        self.tries = dict.fromkeys(OWNERS, 0)
        self.results: dict[str, str] = {}
        self.landed_by = self.fleet.clock.at
        self.open = False
        self.number = 0

    def name(self, word: str) -> str:
        self.number += 1
        return f"{word}-{self.number}"

    # What happens.

    @rule(target=attempts, effect=effects, owner=owners, sent=st.booleans(), way=ways)
    def begin(self, effect: str, owner: str, sent: bool, way: Way) -> Entered[Attempt]:
        """A new attempt of an activity, which may find its own dead claim, another's, or a result."""
        self.tries[owner] += 1
        attempt, at, model = self.tries[owner], self.fleet.clock.at, self.model[effect]
        answer = self.fleet.do(
            lambda guards: guards.begin_tool_call(
                tool=TOOL,
                breaker=NEVER_ON_COUNT,
                effect_key=effect,
                owner=owner,
                attempt=attempt,
                lease=LEASE,
                mark_sent=sent,
                lands_within=LANDS_WITHIN,
            ),
            way,
        )
        lease, lands = LEASE // span(1), LANDS_WITHIN // span(1) if sent else None
        expected = model.claim(owner, attempt, lease, lands, at)
        fence, attempts, doubt = model.fence, model.attempts, model.doubt
        self.landed_by = max(self.landed_by, at + LANDS_WITHIN // span(1))
        if isinstance(answer, Lost):
            if self.open and expected is None and way.lose == 1:
                model.fail(fence, Fate.CLEAR, False, at)
            return multiple()
        if expected is not None:
            self._check_refusal(answer, expected, model, at)
        elif self.open:
            model.fail(model.fence, Fate.CLEAR, False, at)
            assert isinstance(answer, Refused)
            assert answer.in_doubt == (doubt > 0), "a refusal tells the doubt and keeps it"
            model.fence = self._fence(effect)  # a repetition after the refusal may have taken another
        else:
            assert isinstance(answer, Proceed)
            assert answer.claim is not None
            seen = answer.claim
            assert (seen.fence, seen.attempts, seen.owner) == (fence, attempts, owner)
            self._check_doubt(seen, doubt)
            return Attempt(effect, seen, sent)
        return multiple()

    def _fence(self, effect: str) -> int:
        shown = self._shown(effect)
        assert shown is not None
        fence = shown["fence"]
        assert isinstance(fence, int)
        assert fence >= self.model[effect].fence
        return fence

    def _shown(self, effect: str) -> JsonObject | None:
        return self.fleet.ask(lambda guards: guards.ledger.show(effect))

    def _check_refusal(self, answer: object, expected: Refusal, model: LedgerModel, at: int) -> None:
        match expected:
            case Refusal.DONE:
                assert answer == Replay(model.result, model.attempts), "done is never performed again"
            case Refusal.UNKNOWN:
                assert answer == Doubtful(model.attempts)
            case Refusal.BUSY:
                assert answer == Busy(span(model.lease - at))

    def _check_doubt(self, claim: Claim, doubt: int) -> None:
        assert claim.in_doubt == (doubt > 0)
        assert claim.settle_after == (moment(doubt) if doubt else None)

    @rule(attempt=attempts, way=ways)
    def send(self, attempt: Attempt, way: Way) -> None:
        """Perhaps as a zombie, whose claim has passed to another."""
        claim, at = attempt.claim, self.fleet.clock.at
        assume(not attempt.sent)
        marked = self.fleet.do(lambda guards: mark_sent(guards, claim), way)
        lands = LANDS_WITHIN // span(1)
        expected = self.model[attempt.effect].send(claim.fence, claim.attempts, lands, at)
        self.landed_by = max(self.landed_by, at + lands)
        if isinstance(marked, Lost):
            return
        assert (marked is not None) == expected
        if marked:
            assert marked.attempts == claim.attempts + 1
            self._check_doubt(marked, self.model[attempt.effect].doubt)
            attempt.claim, attempt.sent = marked, True

    @rule(attempt=attempts, way=ways)
    def renew(self, attempt: Attempt, way: Way) -> None:
        answer = self.fleet.do(lambda guards: guards.renew(attempt.claim, LEASE), way)
        expected = self.model[attempt.effect].renew(attempt.claim.fence, LEASE // span(1), self.fleet.clock.at)
        assert isinstance(answer, Lost) or answer == expected

    @rule(attempt=attempts, way=ways)
    def complete(self, attempt: Attempt, way: Way) -> None:
        """Perhaps as a zombie, or for the second time, with another result."""
        result, model = self.name("result"), self.model[attempt.effect]
        answer = self.fleet.do(lambda guards: guards.complete_tool_call(attempt.claim, result, None), way)
        if recorded := model.complete(attempt.claim.fence, result, attempt.claim.attempts):
            assert self.results.setdefault(attempt.effect, model.result or "") == model.result
        assert isinstance(answer, Lost) or answer.superseded == (not recorded)

    @rule(attempt=attempts, fate=st.sampled_from(Fate), reached=st.booleans(), way=ways)
    def fail(self, attempt: Attempt, fate: Fate, reached: bool, way: Way) -> None:
        answer = self.fleet.do(
            lambda guards: guards.fail_tool_call(
                attempt.claim, None, Verdict.NEUTRAL, None, fate=fate, reached=reached
            ),
            way,
        )
        recorded = self.model[attempt.effect].fail(attempt.claim.fence, fate, reached, self.fleet.clock.at)
        assert isinstance(answer, Lost) or answer.superseded == (not recorded)

    @rule(effect=effects, done=st.booleans(), way=ways)
    def settle(self, effect: str, done: bool, way: Way) -> None:
        """As an operator, who says that it was not done only when nothing can land any more."""
        assume(done or self.fleet.clock.at > self.landed_by)
        result, act = (
            (self.name("result") if done else None),
            Act(id=self.name("act"), by="ann", reason="asked the shop"),
        )
        written = f'"{result}"' if done else None
        answer = self.fleet.do(lambda guards: settle(guards, effect, written, act), way)
        expected = self.model[effect].settle(result, self.fleet.clock.at)
        assert isinstance(answer, Lost) or answer == expected
        if expected and result:
            assert self.results.setdefault(effect, result) == result

    @rule(client=clients)
    def trip_or_mend_the_breaker(self, client: int) -> None:
        self.open = not self.open
        state, act = (BreakerState.FORCED_OPEN if self.open else BreakerState.CLOSED), self.name("act")
        self.fleet.ask(lambda guards: guards.breaker.force(TOOL, state, "why", act), client)

    @rule(ms=jumps)
    def step_the_clock(self, ms: int) -> None:
        self.fleet.clock.at += ms

    # What must hold.

    @invariant()
    def the_claims_are_the_model_s(self) -> None:
        for effect, model in self.model.items():
            shown = self._shown(effect)
            if shown is None:
                assert model.phase is Phase.ABSENT
                continue
            seen = shown["state"], shown["fence"], shown["attempts"], shown["owner"]
            assert seen == (model.shown, model.fence, model.attempts, model.owner)
            if model.phase in (Phase.WORKING, Phase.FREE):
                doubt = moment(model.doubt).isoformat() if model.doubt else None
                assert shown.get("doubt") == doubt, "a doubt stays until it is settled"
            assert shown.get("result") == self.results.get(effect), "what is done stays done, with its first result"


def test_the_ledger_keeps_its_rules_whatever_happens(own_redis: str) -> None:
    hold(LedgerMachine, own_redis)
