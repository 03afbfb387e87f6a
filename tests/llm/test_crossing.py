"""A conversation goes from one provider to the other and back without loss."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.contracts.conversation import AssistantMessage, CallPart, ConversationMessage, ToolMessage, UserMessage
from surefoot.llm.names import callable_name, new_call_id, nine
from tests.llm.answers import answer_with_call, last
from tests.llm.conftest import Caller
from tests.llm.recordings import plain, play, recording
from tests.llm.wire import Wire

STAND_IN = base64.b64encode(b"skip_thought_signature_validator").decode()
LONG_ID = "pyd_ai_df5891897e434a16add992cc09f10172"


def results(message: AssistantMessage) -> list[ToolMessage]:
    return [ToolMessage(call_id=call.id, tool=call.tool, content=f"result of {call.id}") for call in message.calls]


async def test_a_turn_of_gemini_goes_to_mistral_and_both_go_back_to_gemini(
    wire: Wire, gemini: Caller, mistral: Caller
) -> None:
    play(wire, recording("gemini/tool_calls_thinking_signatures")[0]["response"])
    by_gemini = (await gemini(UserMessage(text="Jokes"))).message
    story: list[ConversationMessage] = [UserMessage(text="Jokes"), by_gemini, *results(by_gemini)]

    wire.forget()
    answer_with_call(wire, mistral, "FI5qQGzDE", "tell", '{"tone": "dry"}')
    by_mistral = (await mistral(*story)).message
    asked = wire.requests[-1]
    _, called, *answered = asked.body["messages"]
    assert [call["function"]["name"] for call in called["tool_calls"]] == ["generate_topic"] * 3
    ids = [call["id"] for call in called["tool_calls"]]
    assert ids == [message["tool_call_id"] for message in answered]
    assert [message["content"] for message in answered] == [message.content for message in results(by_gemini)]
    assert "ignature" not in json.dumps(asked.body)

    story += [by_mistral, *results(by_mistral)]
    wire.forget()
    wire.answer_events(last(gemini, "Ha."))
    await gemini(*story, model="gemini:gemini-3-flash-preview")
    _, first, _, second, answer = wire.requests[-1].body["contents"]
    signature = by_gemini.parts[0].signature
    assert signature
    assert [plain(part).get("thoughtSignature") for part in first["parts"]] == [
        base64.b64decode(signature),
        None,
        None,
    ]
    assert second["parts"] == [
        {
            "functionCall": {"id": "FI5qQGzDE", "name": "tell", "args": {"tone": "dry"}},
            "thoughtSignature": STAND_IN,
        }
    ]
    assert answer["parts"][0]["functionResponse"]["id"] == "FI5qQGzDE"


async def test_thinking_is_for_its_own_provider_alone(wire: Wire, gemini: Caller, mistral: Caller) -> None:
    play(wire, recording("mistral/stream_thinking")[0]["response"])
    thoughtful = (await mistral(UserMessage(text="How do I cross?"))).message
    wire.forget()
    wire.answer_events(last(gemini, "Yes."))
    await gemini(UserMessage(text="How do I cross?"), thoughtful, UserMessage(text="And back?"))
    assert wire.requests[-1].body["contents"][1]["parts"] == [{"text": thoughtful.text}]


@pytest.mark.parametrize(
    ("model", "provider", "signature"),
    [
        ("gemini-2.0-flash", "mistral", None),
        ("gemini-2.5-pro", "gemini", None),
        ("gemini-2.5-pro", "mistral", STAND_IN),
        ("gemini-3.8-flash", "gemini", STAND_IN),
        ("gemini-flash-latest", "mistral", STAND_IN),
    ],
)
async def test_an_unsigned_first_call_gets_a_stand_in_where_a_signature_may_be_asked_for(
    wire: Wire, gemini: Caller, model: str, provider: str, signature: str | None
) -> None:
    calls = tuple(CallPart(id=f"abcdefgh{number}", tool="look") for number in range(2))
    called = AssistantMessage(provider=provider, parts=calls)
    wire.answer_events(last(gemini, "Yes."))
    await gemini(UserMessage(text="Look"), called, *results(called), model=f"gemini:{model}")
    parts = wire.requests[0].body["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [signature, None]


async def test_foreign_ids_are_mapped_alike_in_the_call_and_its_result(wire: Wire, mistral: Caller) -> None:
    call = CallPart(id=LONG_ID, tool="look", arguments={"where": "Köln"})
    called = AssistantMessage(provider="gemini", parts=(call,))
    wire.answer_events(last(mistral, "Yes."))
    await mistral(UserMessage(text="Look"), called, *results(called))
    _, asked, answered = wire.requests[0].body["messages"]
    id = asked["tool_calls"][0]["id"]
    assert len(id) == 9
    assert id.isalnum()
    assert id == answered["tool_call_id"]
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"where": "Köln"}


@given(st.sets(st.text(max_size=40), min_size=2, max_size=50))
def test_different_ids_stay_different(ids: set[str]) -> None:
    mapped = {nine(id) for id in ids}
    assert len(mapped) == len(ids)
    assert all(len(id) == 9 and id.isascii() and id.isalnum() for id in mapped)
    assert {nine(id) for id in mapped} == mapped


@given(st.text(max_size=100))
def test_every_name_is_made_one_that_providers_accept(tool: str) -> None:
    name = callable_name(tool)
    assert 1 <= len(name) <= 64
    assert name[0].isalpha() or name[0] == "_"
    assert name.replace("_", "a").replace("-", "a").isalnum()
    assert callable_name("create_order") == "create_order"


def test_new_ids_are_left_as_they_are() -> None:
    id = new_call_id()
    assert nine(id) == id
