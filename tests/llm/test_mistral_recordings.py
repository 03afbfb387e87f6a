"""What Mistral really sent is understood, and what it was really sent is what we send."""

import json
from typing import Any

from surefoot.contracts.conversation import (
    AssistantMessage,
    ConversationMessage,
    TextPart,
    ThinkingPart,
    ToolMessage,
    UserMessage,
)
from surefoot.contracts.models import Finish, Generation, ToolOffer, Usage
from tests.llm.conftest import Caller
from tests.llm.recordings import play, recording
from tests.llm.wire import Wire


async def ask(mistral: Caller, wire: Wire, exchange: dict[str, Any], *messages: ConversationMessage) -> Generation:
    """Ask what was recorded; the request must say what the recorded one said."""
    body = exchange["request"]["body"]
    play(wire, exchange["response"])
    answer = await mistral(
        *messages,
        model="mistral:" + body["model"],
        system="".join(message["content"] for message in body["messages"] if message["role"] == "system"),
        tools=tuple(ToolOffer(**tool["function"]) for tool in body.get("tools", ())),
    )
    assert said(wire.requests[-1].body) == said(body)
    wire.forget()
    return answer


def said(body: dict[str, Any]) -> dict[str, Any]:
    """The parts of a request that matter."""
    return {
        "model": body["model"],
        "messages": [turn(message) for message in body["messages"]],
        "tools": [tool["function"] for tool in body.get("tools", ())],
    }


def turn(message: dict[str, Any]) -> dict[str, Any]:
    content = message["content"]
    words = content if isinstance(content, str) else "".join(chunk.get("text", "") for chunk in content)
    calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls") or ()
    ]
    return {"role": message["role"], "words": words, "calls": calls, "answers": message.get("tool_call_id")}


async def test_text_and_usage_are_understood(wire: Wire, mistral: Caller) -> None:
    (exchange,) = recording("mistral/text")
    answer = await ask(mistral, wire, exchange, UserMessage(text="hello"))
    assert answer.message.text.startswith("Hello! 😊 How can I assist you today?")
    assert answer.usage == Usage(input_tokens=4, output_tokens=36)
    assert (answer.model_version, answer.finish) == ("mistral-large-latest", Finish.STOP)


async def test_a_call_and_its_result_go_back_as_recorded(wire: Wire, mistral: Caller) -> None:
    first, second = recording("mistral/tool_calls")
    question = UserMessage(text="What fruit is in the image you can get from the get_image tool? Call the tool.")
    answer = await ask(mistral, wire, first, question)
    (call,) = answer.message.calls
    assert (call.id, call.tool, call.arguments, call.malformed) == ("FI5qQGzDE", "get_image", {}, None)
    assert answer.message.parts == (call,)
    assert (answer.usage, answer.finish) == (Usage(input_tokens=65, output_tokens=16), Finish.STOP)

    result = ToolMessage(call_id=call.id, tool=call.tool, content="See file 241a70")
    last = await ask(mistral, wire, second, question, answer.message, result, UserMessage(text="This is file 241a70:"))
    assert last.message.text.startswith("The image shows a kiwi fruit")
    assert last.usage == Usage(input_tokens=1540, output_tokens=54)


async def test_cached_tokens_are_counted(wire: Wire, mistral: Caller) -> None:
    first, second = recording("mistral/cached_tokens")
    one, two = (UserMessage(text=f"Reply with exactly: cache probe {number}.") for number in ("one", "two"))
    answer = await ask(mistral, wire, first, one)
    assert answer.message == AssistantMessage(provider="mistral", parts=(TextPart(text="cache probe one."),))
    assert answer.usage == Usage(input_tokens=253, output_tokens=5)
    again = await ask(mistral, wire, second, one, answer.message, two)
    assert again.usage == Usage(input_tokens=268, cached_tokens=224, output_tokens=5)


async def test_streamed_thinking_is_kept_apart_from_the_words(wire: Wire, mistral: Caller) -> None:
    (exchange,) = recording("mistral/stream_thinking")
    answer = await ask(mistral, wire, exchange, UserMessage(text="How do I cross the street?"))
    thinking, words = answer.message.parts
    assert isinstance(thinking, ThinkingPart)
    assert thinking.text.startswith("Okay, the user is")
    assert isinstance(words, TextPart)
    assert words.text.endswith("By following these steps, you can ensure a safe crossing.")
    assert "".join(mistral.words) == words.text == answer.message.text
    assert answer.usage == Usage(input_tokens=10, output_tokens=232)
    assert answer.model_version == "magistral-medium-latest"


async def test_mistral_gets_its_own_thinking_back(wire: Wire, mistral: Caller) -> None:
    play(wire, recording("mistral/stream_thinking")[0]["response"])
    answer = await mistral(UserMessage(text="How do I cross the street?"))
    await mistral(UserMessage(text="How?"), answer.message, UserMessage(text="And back?"))
    thinking, words = wire.requests[1].body["messages"][1]["content"]
    assert thinking["type"] == "thinking"
    assert thinking["thinking"][0]["text"] == answer.message.parts[0].text  # type: ignore[union-attr]  # a thinking part
    assert words == {"type": "text", "text": answer.message.text}
