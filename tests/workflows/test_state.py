"""The pure parts of a run: its counting, its clock, its deeds, its gate."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.contracts.approvals import ApprovalDecision, Verdict
from surefoot.contracts.conversation import AssistantMessage, CallPart, TextPart, ToolMessage
from surefoot.contracts.guardrails import OpenCircuit
from surefoot.contracts.models import Finish, ModelReply, Usage
from surefoot.contracts.profiles import Profile
from surefoot.contracts.tools import Effect, ToolCall, ToolContract
from surefoot.errors import InvalidInput, NotFound
from workflows.approval import ApprovalGate
from workflows.deeds import Deeds, deed
from workflows.state import RunState, Stopwatch
from workflows.tool_words import closed_off

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SCHEMA = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}, "reason": {"type": "string"}},
    "required": ["order_id"],
    "additionalProperties": False,
}
RETURN = ToolContract(
    name="start_return", description="Start a return.", parameters=SCHEMA, effect=Effect.KEYED, identity=("order_id",)
)
PROFILE = Profile(name="p", system="Be kind. Ünïcode.", ladder=("gemini:gemini-2.5-pro",), tools=(RETURN,))


def replied(state: RunState, *, tokens: int, provider: str = "gemini", offered: tuple[str, ...] = ()) -> RunState:
    message = AssistantMessage(provider=provider, parts=(TextPart(text="Well."), CallPart(id="a", tool="start_return")))
    reply = ModelReply(
        message=message,
        usage=Usage(input_tokens=tokens, output_tokens=7),
        model=f"{provider}:some-model",
        model_version="some-model-1",
        finish=Finish.STOP,
        cost=5,
    )
    return state.answered(reply, offered)


def test_the_first_call_is_bounded_by_its_bytes_schemas_and_system_prompt_included() -> None:
    size = RunState.opened("Grüße").prompt_size(PROFILE)
    least = len("Grüße".encode()) + len(PROFILE.system.encode()) + len(RETURN.description)
    assert size.total_bytes == size.new_bytes > least
    assert size.token_bound("gemini") == size.total_bytes


def test_what_a_provider_has_counted_is_not_bounded_by_bytes_again() -> None:
    state = replied(RunState.opened("x" * 5000), tokens=1300, offered=("start_return",))
    state = state.observed((ToolMessage(call_id="a", tool="start_return", content="done"),))
    size = state.prompt_size(PROFILE)
    assert size.counted_tokens == 1307
    assert size.token_bound("gemini") == 1307 + size.new_bytes < 1600
    assert size.token_bound("mistral") == size.total_bytes > 5000


def test_a_tool_that_was_not_offered_before_is_bounded_when_it_comes_back() -> None:
    without, with_it = (
        replied(RunState.opened("Hello"), tokens=100, offered=offered).prompt_size(PROFILE)
        for offered in ((), ("start_return",))
    )
    assert without.new_bytes - with_it.new_bytes == RETURN.size


def test_telling_of_a_closed_tool_takes_less_than_its_contract() -> None:
    until = (OpenCircuit(name="start_return", until=NOW), OpenCircuit(name="start_return"))
    terse = RETURN.model_copy(update={"description": "", "parameters": {}})
    for circuit in until:
        words = closed_off((RETURN,), (circuit,))
        assert "start_return" in words
        assert len(words.encode()) < terse.size < RETURN.size
    assert closed_off((RETURN,), ()) == ""


def test_an_answer_adds_up_usage_and_models() -> None:
    state = replied(replied(RunState.opened("Hello"), tokens=10), tokens=20)
    assert (state.turn, state.usage.input_tokens, state.usage.output_tokens) == (2, 30, 14)
    assert state.usage.cost_nanos == 10
    assert state.models == ("some-model-1",)
    assert state.text == "Well."


def test_time_spent_waiting_for_people_does_not_count() -> None:
    watch = Stopwatch(NOW)
    watch.wait_begins(NOW + timedelta(minutes=1))
    watch.wait_begins(NOW + timedelta(minutes=2))
    assert watch.elapsed(NOW + timedelta(hours=5)) == timedelta(minutes=1)
    watch.wait_ends(NOW + timedelta(hours=6))
    watch.wait_ends(NOW + timedelta(hours=7))
    assert watch.elapsed(NOW + timedelta(hours=7, minutes=1)) == timedelta(minutes=2)


def test_a_call_that_failed_is_repeated_under_its_own_occurrence() -> None:
    name = deed(RETURN, {"order_id": "A-1"})
    deeds = Deeds().take(name, 0).take(name, 1).finish(name, 1)  # two at once: the first failed, the second is done
    assert deeds.next_turn().first_free(name) == 0
    assert deeds.next_turn().take(name, 0).first_free(name) == 2


def test_only_identifying_arguments_tell_deeds_apart() -> None:
    assert deed(RETURN, {"order_id": "A-1", "reason": "x"}) == deed(RETURN, {"order_id": "A-1", "reason": "y"})
    assert deed(RETURN, {"order_id": "A-1"}) != deed(RETURN, {"order_id": "A-2"})


@given(st.lists(st.tuples(st.integers(1, 3), st.lists(st.booleans(), min_size=3, max_size=3)), max_size=6))
def test_no_occurrence_is_done_twice_and_none_is_left_out(turns: list[tuple[int, list[bool]]]) -> None:
    deeds, done = Deeds(), 0
    for calls, outcomes in turns:
        deeds, taken = deeds.next_turn(), []
        for _ in range(calls):
            taken.append(deeds.first_free("d"))
            deeds = deeds.take("d", taken[-1])
        assert len(set(taken)) == calls
        for occurrence, succeeded in zip(taken, outcomes, strict=False):
            if succeeded:
                deeds, done = deeds.finish("d", occurrence), done + 1
    finished = deeds.done.get("d", ())
    assert len(set(finished)) == len(finished) == done
    assert deeds.next_turn().first_free("d") <= done


def test_a_watch_that_stood_still_when_a_history_ended_stands_still_in_the_next() -> None:
    first = Stopwatch(NOW)
    first.wait_begins(NOW + timedelta(minutes=1))
    first.wait_begins(NOW + timedelta(minutes=2))
    watch = Stopwatch(first.started, first.excluded, waits=2, waiting_since=first.waiting_since)
    assert watch.elapsed(NOW + timedelta(hours=1)) == timedelta(minutes=1)
    watch.wait_ends(NOW + timedelta(hours=1))
    assert watch.elapsed(NOW + timedelta(hours=2)) == timedelta(minutes=1)
    watch.wait_ends(NOW + timedelta(hours=2))
    assert watch.elapsed(NOW + timedelta(hours=3)) == timedelta(hours=1, minutes=1)


def call(arguments: dict[str, object]) -> ToolCall:
    return ToolCall.model_validate(
        {"id": "a", "contract": RETURN, "arguments": arguments, "effect_key": "k", "tenant": "t"}
    )


def test_a_gate_takes_one_decision_for_each_request_and_none_for_a_closed_one() -> None:
    gate = ApprovalGate()
    first = gate.ask(call({"order_id": "A-1"}), at=NOW, expires=timedelta(hours=1))
    again = gate.ask(call({"order_id": "A-1"}), at=NOW, expires=timedelta(hours=1))
    assert first.id != again.id
    assert first.expires_at == NOW + timedelta(hours=1)

    decision = ApprovalDecision(request_id=first.id, verdict=Verdict.APPROVE, by="ada")
    gate.check(decision)
    outcome = gate.decide(decision, at=NOW)
    assert (outcome.by, outcome.decided_at) == ("ada", NOW)
    assert gate.open_requests == (again,)
    with pytest.raises(NotFound, match=again.id):
        gate.check(decision)
    assert gate.close(first.id) == decision
    assert gate.close(again.id) is None


def test_a_gate_refuses_edits_that_the_tool_would_not_take() -> None:
    gate = ApprovalGate()
    request = gate.ask(call({"order_id": "A-1"}), at=NOW, expires=timedelta(hours=1))

    def edited(verdict: Verdict, arguments: dict[str, object]) -> ApprovalDecision:
        given = {"request_id": request.id, "verdict": verdict, "by": "ada", "arguments": arguments}
        return ApprovalDecision.model_validate(given)

    with pytest.raises(InvalidInput, match="order_id"):
        gate.check(edited(Verdict.APPROVE, {}))
    with pytest.raises(InvalidInput, match="feedback"):
        gate.check(edited(Verdict.REJECT, {"order_id": "A-2"}))
    gate.check(edited(Verdict.APPROVE, {"order_id": "A-2"}))
    assert gate.open_requests == (request,)
