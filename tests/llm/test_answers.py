"""What models do that is odd but no error, and what is sent with a call."""

from typing import Any

import pytest

from surefoot.contracts.conversation import AssistantMessage, CallPart, TextPart, ThinkingPart, ToolMessage, UserMessage
from surefoot.contracts.models import Finish, ToolOffer, Usage
from tests.llm.answers import (
    GEMINI_USAGE,
    MISTRAL_USAGE,
    answer_with_call,
    gemini_event,
    is_gemini,
    last,
    mistral_event,
    words,
)
from tests.llm.conftest import Caller
from tests.llm.recordings import plain
from tests.llm.wire import Wire

SIGNED = "c2lnbmVk"
"""Base64 of ``signed``."""


async def test_an_answer_without_words_has_no_parts(wire: Wire, either: Caller) -> None:
    wire.answer_events(words(either, ""), last(either, ""))
    answer = await either()
    assert answer.message.parts == ()
    assert (answer.finish, answer.message.text, either.words) == (Finish.STOP, "", [])


async def test_an_answer_cut_at_the_output_cap_says_so(wire: Wire, either: Caller) -> None:
    if is_gemini(either):
        wire.answer_events(gemini_event({"text": "Once upon"}, finish="MAX_TOKENS", usage=GEMINI_USAGE))
    else:
        wire.answer_events(mistral_event("Once upon", finish="length", usage=MISTRAL_USAGE))
    answer = await either()
    assert (answer.finish, answer.message.text) == (Finish.LENGTH, "Once upon")


async def test_the_cap_and_the_temperature_are_really_sent(wire: Wire, either: Caller) -> None:
    wire.answer_events(last(either, "Yes."))
    await either(temperature=0.25)
    body = wire.requests[0].body
    sent = body["generationConfig"] if is_gemini(either) else body
    assert sent["maxOutputTokens" if is_gemini(either) else "max_tokens"] == 77
    assert sent["temperature"] == 0.25


async def test_mistral_is_not_sent_a_temperature_that_it_refuses(wire: Wire, mistral: Caller) -> None:
    wire.answer_events(last(mistral, "Yes."))
    await mistral(temperature=2)
    assert wire.requests[0].body["temperature"] == 1.5


async def test_a_call_without_a_name_is_a_call_of_nothing(wire: Wire, either: Caller) -> None:
    answer_with_call(wire, either, None, "", {} if is_gemini(either) else "{}")
    (call,) = (await either()).message.calls
    assert call.tool == ""


async def test_gemini_s_call_without_the_field_name_is_a_call_of_nothing(wire: Wire, gemini: Caller) -> None:
    wire.answer_events(gemini_event({"functionCall": {"args": {"a": 1}}}, finish="STOP", usage=GEMINI_USAGE))
    (call,) = (await gemini()).message.calls
    assert (call.tool, call.arguments) == ("", {"a": 1})


async def test_a_call_without_an_id_gets_one_that_mistral_accepts_too(wire: Wire, either: Caller) -> None:
    answer_with_call(wire, either, None, "look", {} if is_gemini(either) else "{}")
    ids = [(await either()).message.calls[0].id for _ in range(2)]
    assert all(len(id) == 9 and id.isalnum() and id.isascii() for id in ids)
    assert ids[0] != ids[1]


async def test_an_id_that_the_conversation_already_has_is_replaced(wire: Wire, either: Caller) -> None:
    answer_with_call(wire, either, "abcdefgh1", "look", {} if is_gemini(either) else "{}")
    earlier = (await either()).message
    assert earlier.calls[0].id == "abcdefgh1"
    result = ToolMessage(call_id="abcdefgh1", tool="look", content="nothing")
    again = await either(UserMessage(text="Look"), earlier, result)
    assert again.message.calls[0].id != "abcdefgh1"


@pytest.mark.parametrize("text", ["{", "[1]", '"words"', '{"a": NaN}', "{} {}"])
async def test_arguments_that_are_no_json_object_are_kept_as_they_came(wire: Wire, mistral: Caller, text: str) -> None:
    answer_with_call(wire, mistral, "abcdefgh1", "look", text)
    (call,) = (await mistral()).message.calls
    assert (call.tool, call.arguments, call.malformed) == ("look", {}, text)


@pytest.mark.parametrize("arguments", ["", " ", {}, "{}"])
async def test_no_arguments_are_an_empty_object(wire: Wire, mistral: Caller, arguments: object) -> None:
    answer_with_call(wire, mistral, "abcdefgh1", "look", arguments)
    (call,) = (await mistral()).message.calls
    assert (call.arguments, call.malformed) == ({}, None)


async def test_a_malformed_call_goes_back_as_json_that_every_provider_takes(
    wire: Wire, gemini: Caller, mistral: Caller
) -> None:
    call = CallPart(id="abcdefgh1", tool="", malformed='{"a": ')
    turn = (AssistantMessage(provider="mistral", parts=(call,)), ToolMessage(call_id=call.id, tool="", content="What?"))
    wire.answer_events(last(gemini, "Sorry."))
    await gemini(UserMessage(text="Do"), *turn)
    wire.forget()
    wire.answer_events(last(mistral, "Sorry."))
    await mistral(UserMessage(text="Do"), *turn)
    to_gemini, to_mistral = (request.body for request in wire.requests)
    sent = to_gemini["contents"][1]["parts"][0]["functionCall"]
    assert (sent["name"], sent["args"]) == ("_", {"malformed_arguments": '{"a": '})
    function = to_mistral["messages"][1]["tool_calls"][0]["function"]
    assert (function["name"], function["arguments"]) == ("_", '{"malformed_arguments": "{\\"a\\": "}')


async def test_gemini_s_malformed_call_is_the_model_s_own_to_mend(wire: Wire, gemini: Caller) -> None:
    wire.answer_events(gemini_event(finish="MALFORMED_FUNCTION_CALL", usage=GEMINI_USAGE))
    answer = await gemini()
    assert (answer.finish, answer.message.parts) == (Finish.MALFORMED_CALL, ())
    assert answer.usage == Usage(input_tokens=10, output_tokens=2)


async def test_gemini_s_usage_adds_tool_prompts_and_thinking(wire: Wire, gemini: Caller) -> None:
    early = {"promptTokenCount": 99}
    late = {
        "promptTokenCount": 100,
        "toolUsePromptTokenCount": 7,
        "cachedContentTokenCount": 60,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 11,
    }
    wire.answer_events(gemini_event({"text": "a"}, usage=early), gemini_event({"text": "b"}, finish="STOP", usage=late))
    answer = await gemini()
    assert answer.usage == Usage(input_tokens=107, cached_tokens=60, output_tokens=16, thinking_tokens=11)


async def test_a_call_that_mistral_streams_in_pieces_is_put_together(wire: Wire, mistral: Caller) -> None:
    def piece(arguments: str, name: str = "", id: str | None = None, index: int = 0) -> dict[str, Any]:
        call = {"function": {"name": name, "arguments": arguments}, "index": index}
        return mistral_event(calls=[{**call, "id": id} if id else call])

    wire.answer_events(
        piece('{"a":', "one", "aaaaaaaaa"),
        piece('{"b":', "two", "bbbbbbbbb", 1),
        piece(" 1}"),
        piece(" 2}", index=1),
        piece("{}", "three", "ccccccccc"),
        mistral_event(finish="tool_calls", usage=MISTRAL_USAGE),
    )
    calls = (await mistral()).message.calls
    assert [(call.id, call.tool, call.arguments) for call in calls] == [
        ("aaaaaaaaa", "one", {"a": 1}),
        ("bbbbbbbbb", "two", {"b": 2}),
        ("ccccccccc", "three", {}),
    ]


async def test_signed_words_and_thoughts_of_gemini_stand_alone_and_go_back_so(wire: Wire, gemini: Caller) -> None:
    wire.answer_events(
        gemini_event({"text": "Hm", "thought": True}),
        gemini_event({"text": "m.", "thought": True}),
        gemini_event({"text": "Well"}, {"text": ", "}),
        gemini_event({"text": "yes.", "thoughtSignature": SIGNED}),
        gemini_event({"text": "", "thoughtSignature": SIGNED}, finish="STOP", usage=GEMINI_USAGE),
    )
    message = (await gemini()).message
    assert message.parts == (
        ThinkingPart(text="Hmm."),
        TextPart(text="Well, "),
        TextPart(text="yes.", signature=SIGNED),
        TextPart(text="", signature=SIGNED),
    )
    assert "".join(gemini.words) == message.text == "Well, yes."
    await gemini(UserMessage(text="Well?"), message, UserMessage(text="Sure?"))
    assert wire.requests[1].body["contents"][1]["parts"] == [
        {"text": "Hmm.", "thought": True},
        {"text": "Well, "},
        {"text": "yes.", "thoughtSignature": SIGNED},
        {"text": "", "thoughtSignature": SIGNED},
    ]


async def test_results_of_one_turn_share_one_content(wire: Wire, gemini: Caller) -> None:
    calls = tuple(CallPart(id=f"id{number}", tool="look") for number in range(2))
    results = (
        ToolMessage(call_id="id0", tool="look", content='{"found": 3}'),
        ToolMessage(call_id="id1", tool="look", content="The service is away."),
    )
    wire.answer_events(last(gemini, "Yes."))
    await gemini(UserMessage(text="Look"), AssistantMessage(provider="gemini", parts=calls), *results)
    content = wire.requests[0].body["contents"][2]
    assert content["role"] == "user"
    assert [part["functionResponse"] for part in content["parts"]] == [
        {"id": "id0", "name": "look", "response": {"found": 3}},
        {"id": "id1", "name": "look", "response": {"output": "The service is away."}},
    ]


async def test_an_empty_answer_in_the_conversation_is_left_out(wire: Wire, either: Caller) -> None:
    empty = AssistantMessage(provider="gemini" if is_gemini(either) else "mistral")
    wire.answer_events(last(either, "Yes."))
    await either(UserMessage(text="One"), empty, UserMessage(text="Two"))
    sent = wire.requests[0].body["contents" if is_gemini(either) else "messages"]
    assert [message["role"] for message in sent] == ["user", "user"]


async def test_gemini_is_offered_only_schemas_that_it_knows(wire: Wire, gemini: Caller) -> None:
    parameters: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "const": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 100},
            "kind": {"const": "order"},
            "price": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}], "examples": [1]},
            "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
        },
        "$defs": {"Item": {"type": "object", "properties": {"sort": {"const": 1}}}},
        "required": ["kind"],
    }
    wire.answer_events(last(gemini, "Yes."))
    await gemini(tools=(ToolOffer(name="buy", description="Buy.", parameters=parameters),))
    (declared,) = wire.requests[0].body["tools"][0]["functionDeclarations"]
    assert plain(declared)["parametersJsonSchema"] == {
        "type": "object",
        "properties": {
            "const": {"type": "integer", "minimum": 1, "maximum": 99},
            "kind": {"enum": ["order"]},
            "price": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]},
            "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
        },
        "$defs": {"Item": {"type": "object", "properties": {"sort": {"enum": [1]}}}},
        "required": ["kind"],
    }
