"""What messages say, and what they leave out since a history holds many of them."""

from datetime import UTC, datetime, timedelta

import pytest

from surefoot.contracts.base import JsonObject, Terse
from surefoot.contracts.breakers import BreakerPolicy, BreakerState, Transition
from surefoot.contracts.budgets import BudgetLimit, Hold, Scope, ScopeKind
from surefoot.contracts.guardrails import Answer, GuardrailDecision, GuardrailRequest, PromptSize
from surefoot.contracts.models import ModelCall, Prompt, Usage
from surefoot.contracts.tools import Effect, ToolBooking, ToolCall, ToolContract, ToolResult

CONTRACT = ToolContract(
    name="issue_refund",
    description="Give the money of an order back.",
    parameters={"type": "object", "properties": {"order": {"type": "string"}}},
    effect=Effect.VERIFIABLE,
    identity=("order",),
    deadline=timedelta(seconds=7),
    attempts=2,
    breaker=BreakerPolicy(failures=3),
    fallback="Refunds are closed.",
)
REQUEST = GuardrailRequest(
    hold_id="run/3",
    tenant="acme",
    scopes=(Scope(kind=ScopeKind.SESSION, subject="s", budget=BudgetLimit(limit=5)),),
    ladder=("scripted:one", "scripted:two"),
    size=PromptSize(new_bytes=1, total_bytes=1),
    output_tokens=100,
)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
FIXED: dict[type[Terse], JsonObject] = {
    BreakerPolicy: {
        "opens_on": ["count", "consecutive"],
        "failures": 5,
        "window": "PT30S",
        "consecutive": 5,
        "rate_percent": 50,
        "slow_percent": 80,
        "slow_after": "PT5S",
        "calls": 20,
        "open_for": "PT30S",
        "open_at_most": "PT5M",
        "probes": 1,
        "probe_lease": "PT30S",
        "half_open_at_most": "PT5M",
    },
    ToolContract: {"deadline": "PT10S", "attempts": 4},
    ToolResult: {"attempts": 1},
    ModelCall: {"deadline": "PT5M", "idle_limit": "PT1M30S"},
    GuardrailDecision: {"booked": True},
}
"""Histories rely on these: what is to differ from them has to say so where it is made."""


@pytest.mark.parametrize("message", Terse.__subclasses__())
def test_what_is_left_out_of_a_message_means_the_same_for_ever(message: type[Terse]) -> None:
    said = {name: value for name, value in message.unsaid.items() if value not in (None, False, 0, "", [], {})}
    assert said == FIXED.get(message, {})
    assert set(message.unsaid) <= set(message.model_fields)


def test_a_policy_without_a_word_is_the_default_one() -> None:
    assert BreakerPolicy().model_dump_json() == "{}"
    assert BreakerPolicy.model_validate_json("{}") == BreakerPolicy.model_validate(FIXED[BreakerPolicy])


def test_a_policy_that_differs_says_how() -> None:
    policy = BreakerPolicy(failures=2, by_tenant=True)
    assert policy.model_dump(mode="json") == {"failures": 2, "by_tenant": True}
    assert BreakerPolicy.model_validate_json(policy.model_dump_json()) == policy
    assert policy.model_dump()["window"] == timedelta(seconds=30)  # only JSON leaves anything out


def test_nothing_is_left_out_and_comes_back_as_nothing() -> None:
    usage = Usage(input_tokens=3)
    assert usage.model_dump_json() == '{"input_tokens":3}'
    assert Usage.model_validate_json(usage.model_dump_json()) == usage


@pytest.mark.parametrize("content", [0, False, "", None, [], {}])
def test_what_looks_like_nothing_but_was_meant_is_said(content: object) -> None:
    result = ToolResult.model_validate({"content": content})
    assert ToolResult.model_validate_json(result.model_dump_json()) == result
    assert "content" in result.model_dump(mode="json")
    cold = Prompt(model="scripted:one", system="", messages=(), temperature=0)
    assert cold.model_dump(mode="json")["temperature"] == 0


def test_a_call_takes_the_terms_of_its_contract_along_and_none_of_its_words() -> None:
    call = ToolCall(id="1", contract=CONTRACT.terms, arguments={"order": "A-1"}, effect_key="k", tenant="acme")
    found = ToolCall.model_validate_json(call.model_dump_json()).contract
    assert (found.name, found.effect, found.span, found.attempts, found.breaker) == (
        CONTRACT.name,
        CONTRACT.effect,
        CONTRACT.span,
        CONTRACT.attempts,
        CONTRACT.breaker,
    )
    assert "money" not in call.model_dump_json()


def test_what_an_older_worker_wrote_in_full_is_read_as_it_was_meant() -> None:
    written = (
        '{"id":"1","contract":{"name":"look_up","description":"Look.","parameters":{},"effect":"read","identity":null,'
        '"deadline":"PT5S","attempts":3,"breaker":{"opens_on":["rate"],"failures":5,"window":"PT30S","calls":10},'
        '"fallback":"Closed."},"arguments":{},"effect_key":"k","tenant":"acme","occurrence":0,"in_doubt":false}'
    )
    contract = ToolCall.model_validate_json(written).contract
    assert (contract.deadline, contract.attempts, contract.fallback) == (timedelta(seconds=5), 3, "Closed.")
    assert (contract.breaker.opens_on, contract.breaker.calls) == (("rate",), 10)


def test_news_and_bookings_are_never_left_out() -> None:
    booking = ToolBooking(content="done")
    change = Transition(
        name="look_up",
        before=BreakerState.CLOSED,
        after=BreakerState.OPEN,
        generation=0,
        episode="1",
        reason="",
        at=NOON,
    )
    result = ToolResult(content="x", transitions=(change,), unsettled=(booking,))
    assert ToolResult.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize(("hold_id", "dearness"), [("run/3", 1000), ("run/3/fallback-0", 2500)])
def test_a_hold_is_recorded_beside_its_request_and_read_as_it_was_made(hold_id: str, dearness: int) -> None:
    hold = Hold(
        id=hold_id,
        tenant=REQUEST.tenant,
        scopes=REQUEST.scopes,
        model="scripted:two",
        bound=7,
        output_tokens=REQUEST.output_tokens,
        at=NOON,
        dearness=dearness,
        epoch="e1",
    )
    made = GuardrailDecision(answer=Answer.GO, model=hold.model, hold=hold, downgraded=True, store=hold.epoch)
    recorded = made.recorded(REQUEST).model_dump_json()
    assert "acme" not in recorded
    assert GuardrailDecision.model_validate_json(recorded).read(REQUEST) == made
    assert GuardrailDecision.model_validate_json(made.model_dump_json()).read(REQUEST) == made  # as it once was
