"""What Gemini really sent is understood, and what it was really sent is what we send."""

import json
from typing import Any

import pytest

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.conversation import ConversationMessage, ToolMessage, UserMessage
from surefoot.contracts.models import Finish, Generation, ToolOffer, Usage
from surefoot.errors import Fault, ProviderFailure
from tests.llm.conftest import Caller
from tests.llm.recordings import plain, play, recording, renamed
from tests.llm.wire import Wire


def offers(body: dict[str, Any]) -> tuple[ToolOffer, ...]:
    declared = [tool for group in body.get("tools", ()) for tool in plain(group)["functionDeclarations"]]
    return tuple(
        ToolOffer(name=tool["name"], description=tool["description"], parameters=tool["parametersJsonSchema"])
        for tool in declared
    )


async def converse(name: str, wire: Wire, gemini: Caller) -> list[Generation]:
    """Hold the recorded conversation again; each request must say what the recorded one said."""
    messages: list[ConversationMessage] = []
    generations: list[Generation] = []
    for exchange in recording(name):
        body = exchange["request"]["body"]
        if generations:
            *_, called, results = body["contents"]
            ids = [part["functionCall"]["id"] for part in called["parts"]]
            messages.append(renamed(generations[-1].message, ids))
            messages += [result(part["functionResponse"]) for part in results["parts"]]
        else:
            messages.append(UserMessage(text=body["contents"][0]["parts"][0]["text"]))
        play(wire, exchange["response"])
        generations.append(await ask(gemini, exchange["request"], messages))
        assert said(wire.requests[-1].body) == said(body)
        wire.forget()
    return generations


def result(response: dict[str, Any]) -> ToolMessage:
    return ToolMessage(call_id=response["id"], tool=response["name"], content=json.dumps(response["response"]))


async def ask(gemini: Caller, request: dict[str, Any], messages: list[ConversationMessage]) -> Generation:
    body = request["body"]
    return await gemini(
        *messages,
        model="gemini:" + request["uri"].rpartition("/models/")[2].partition(":")[0],
        system="".join(part["text"] for part in body.get("systemInstruction", {}).get("parts", ())),
        tools=offers(body),
        temperature=body["generationConfig"].get("temperature"),
    )


def said(body: dict[str, Any]) -> dict[str, Any]:
    """The parts of a request that matter."""
    return {
        "contents": plain(body["contents"]),
        "system": [part["text"] for part in body.get("systemInstruction", {}).get("parts", ())],
        "tools": plain(body.get("tools", [])),
        "temperature": body["generationConfig"].get("temperature"),
    }


async def test_streamed_text_comes_piece_by_piece_and_whole(wire: Wire, gemini: Caller) -> None:
    (answer,) = await converse("gemini/stream_text", wire, gemini)
    assert answer.message.text == "The capital of France is Paris.\n"
    assert gemini.words == ["The", " capital of France", " is Paris.\n"]
    assert len(answer.message.parts) == 1
    assert answer.usage == Usage(input_tokens=13, output_tokens=8)
    assert answer.model_version == "gemini-2.0-flash-exp"
    assert answer.finish is Finish.STOP


async def test_usage_that_arrives_in_mid_stream_counts_once_and_includes_thinking(wire: Wire, gemini: Caller) -> None:
    (answer,) = await converse("gemini/stream_usage", wire, gemini)
    assert answer.message.text.split() == [str(number) for number in range(1, 31)]
    events = recording("gemini/stream_usage")[0]["response"]["body"].strip().split("\r\n\r\n")
    last = json.loads(events[-1].removeprefix("data: "))["usageMetadata"]
    assert answer.usage.thinking_tokens == 35
    assert answer.usage.input_tokens == 18
    assert answer.usage.input_tokens + answer.usage.output_tokens == last["totalTokenCount"]


async def test_streamed_calls_and_their_results_go_back_as_recorded(wire: Wire, gemini: Caller) -> None:
    first, second, last = await converse("gemini/stream_tool_calls", wire, gemini)
    assert [(call.tool, call.arguments) for call in first.message.calls] == [("get_capital", {"country": "France"})]
    assert [(call.tool, call.arguments) for call in second.message.calls] == [("get_temperature", {"city": "Paris"})]
    assert last.message.text == "The temperature in Paris is 30°C.\n"
    assert [answer.usage for answer in (first, second, last)] == [
        Usage(input_tokens=52, output_tokens=5),
        Usage(input_tokens=64, output_tokens=5),
        Usage(input_tokens=79, output_tokens=12),
    ]


async def test_calls_and_their_results_go_back_as_recorded(wire: Wire, gemini: Caller) -> None:
    first, last = await converse("gemini/tool_calls", wire, gemini)
    assert [(call.tool, call.arguments) for call in first.message.calls] == [("get_user_country", {})]
    assert [(call.tool, call.arguments) for call in last.message.calls] == [
        ("final_result", {"city": "Mexico City", "country": "Mexico"})
    ]
    assert last.usage == Usage(input_tokens=47, output_tokens=8)


async def test_thought_signatures_go_back_unchanged_on_the_part_that_carried_them(wire: Wire, gemini: Caller) -> None:
    answers = await converse("gemini/tool_calls_thinking_signatures", wire, gemini)
    assert [len(answer.message.calls) for answer in answers] == [3, 1, 1, 1, 1]
    assert [part.signature is not None for part in answers[0].message.parts] == [True, False, False]
    assert all(answer.message.parts[0].signature for answer in answers)
    assert len({call.id for answer in answers for call in answer.message.calls}) == 7
    assert answers[0].usage == Usage(input_tokens=83, output_tokens=30 + 190, thinking_tokens=190)
    assert answers[-1].usage == Usage(input_tokens=679, output_tokens=65 + 235, thinking_tokens=235)
    assert answers[-1].model_version == "gemini-3-flash-preview"


async def test_a_safety_block_is_final_and_tells_its_reason_and_what_its_input_cost(wire: Wire, gemini: Caller) -> None:
    with pytest.raises(ProviderFailure, match="SAFETY") as caught:
        await converse("gemini/blocked_by_safety", wire, gemini)
    failure = caught.value
    assert (failure.fault, failure.verdict, failure.maybe_billed) == (Fault.PERMANENT, Verdict.NEUTRAL, True)
    assert failure.usage == Usage(input_tokens=14)
    assert failure.model_version == "gemini-1.5-flash"
    assert said(wire.requests[0].body) == said(recording("gemini/blocked_by_safety")[0]["request"]["body"])


async def test_an_unknown_model_is_refused_for_good_in_gemini_s_own_words(wire: Wire, gemini: Caller) -> None:
    with pytest.raises(ProviderFailure, match=r"404.*gemini-3\.6-flahs is not found") as caught:
        await converse("gemini/unknown_model_404", wire, gemini)
    assert (caught.value.fault, caught.value.maybe_billed) == (Fault.PERMANENT, False)
    assert wire.requests[0].path.startswith("/v1beta/models/gemini-3.6-flahs:streamGenerateContent")
