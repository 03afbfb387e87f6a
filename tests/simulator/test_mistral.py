"""Mistral's SDK talks to the simulator as to Mistral."""

import json
from datetime import timedelta
from typing import TypeAlias

import httpx2
import pytest
from mistralai.client import Mistral, models
from mistralai.client.errors import SDKError

from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.faults import FaultKind

MEDIUM = "mistral-medium-latest"
Said: TypeAlias = models.SystemMessage | models.UserMessage | models.AssistantMessage | models.ToolMessage
ASK = models.UserMessage(content="What about order A-1001?")
TOOLS = [
    models.Tool(
        function=models.Function(
            name="look_up_order",
            parameters={"type": "object", "properties": {"order_id": {"type": "string"}}},
        )
    )
]
FOUND = json.dumps({"id": "A-1001", "total": "49.90", "status": "delivered"})


async def asked(mistral: Mistral) -> models.AssistantMessage:
    """The turn in which the model asks for the order."""
    answer = await mistral.chat.complete_async(model=MEDIUM, messages=[ASK], tools=TOOLS)
    assert answer.choices[0].finish_reason == "tool_calls"
    message = answer.choices[0].message
    assert message is not None
    return message


def conversation(*messages: Said) -> list[Said]:
    return list(messages)


def call_of(message: models.AssistantMessage) -> models.ToolCall:
    assert message.tool_calls
    return message.tool_calls[0]


async def test_a_call_its_result_and_the_answer(mistral: Mistral) -> None:
    turn = await asked(mistral)
    call = call_of(turn)
    assert call.function.arguments == '{"order_id": "A-1001"}'
    result = models.ToolMessage(content=FOUND, tool_call_id=call.id, name="look_up_order")
    answer = await mistral.chat.complete_async(model=MEDIUM, messages=conversation(ASK, turn, result), tools=TOOLS)
    message = answer.choices[0].message
    assert message
    assert "order A-1001 over 49.90 EUR is delivered" in str(message.content)


@pytest.mark.parametrize("id", ["call_1234567890", "abc", "abcdefgh_"])
async def test_an_id_that_is_not_nine_alphanumerics_is_refused(mistral: Mistral, id: str) -> None:
    turn = await asked(mistral)
    call_of(turn).id = id
    result = models.ToolMessage(content=FOUND, tool_call_id=id, name="look_up_order")
    with pytest.raises(SDKError, match="must be a-z, A-Z, 0-9, with a length of 9") as refusal:
        await mistral.chat.complete_async(model=MEDIUM, messages=conversation(ASK, turn, result), tools=TOOLS)
    assert refusal.value.status_code == 400


async def test_roles_out_of_order_are_refused(mistral: Mistral) -> None:
    turn = await asked(mistral)
    id = call_of(turn).id or ""
    result = models.ToolMessage(content=FOUND, tool_call_id=id, name="look_up_order")
    stranger = models.ToolMessage(content=FOUND, tool_call_id="aaaaaaaaa", name="look_up_order")
    said = models.AssistantMessage(content="There it is.")
    orders: list[tuple[list[Said], str]] = [
        ([ASK, turn], "Not the same number of function calls and responses"),
        ([ASK, turn, ASK], "Not the same number of function calls and responses"),
        ([ASK, turn, stranger], "Unexpected tool call id"),
        ([ASK, turn, result, ASK], "Unexpected role 'user' after role 'tool'"),
        ([ASK, turn, result, said], "Expected last role"),
    ]
    for messages, complaint in orders:
        with pytest.raises(SDKError, match=complaint):
            await mistral.chat.complete_async(model=MEDIUM, messages=conversation(*messages), tools=TOOLS)


async def test_a_stream_says_the_same_and_ends_with_the_usage(mistral: Mistral, simulator: SimulatorClient) -> None:
    prompt = [models.UserMessage(content="report of 60 words on bridges")]
    plain = await mistral.chat.complete_async(model=MEDIUM, messages=prompt)
    stream = await mistral.chat.stream_async(model=MEDIUM, messages=prompt)
    chunks = [event.data async for event in stream]
    said = "".join(str(chunk.choices[0].delta.content) for chunk in chunks)
    assert plain.choices[0].message
    assert said == plain.choices[0].message.content
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage
    first, second = await simulator.calls("mistral")
    assert first.usage == second.usage
    assert first.usage
    assert first.usage.output_tokens == chunks[-1].usage.completion_tokens
    assert (first.model_version, first.operation) == (MEDIUM, MEDIUM)


async def test_a_stream_carries_calls(mistral: Mistral) -> None:
    stream = await mistral.chat.stream_async(model=MEDIUM, messages=[ASK], tools=TOOLS)
    *_, last = [event.data async for event in stream]
    [call] = last.choices[0].delta.tool_calls or []
    assert call.function.name == "look_up_order"
    assert last.choices[0].finish_reason == "tool_calls"


async def test_thoughts_come_as_parts_of_their_own(mistral: Mistral) -> None:
    stream = await mistral.chat.stream_async(model="magistral-medium-latest", messages=[ASK], prompt_mode="reasoning")
    contents = [event.data.choices[0].delta.content async for event in stream]
    thoughts = [chunk for content in contents if isinstance(content, list) for chunk in content]
    assert all(isinstance(thought, models.ThinkChunk) for thought in thoughts)
    assert thoughts
    plain = await mistral.chat.complete_async(
        model="magistral-medium-latest", messages=[models.UserMessage(content="[[think]] hello")]
    )
    assert plain.choices[0].message
    assert isinstance(plain.choices[0].message.content, list)
    assert [chunk.type for chunk in plain.choices[0].message.content] == ["thinking", "text"]
    again = await mistral.chat.complete_async(
        model="magistral-medium-latest",
        messages=conversation(
            models.UserMessage(content="hello"), plain.choices[0].message, models.UserMessage(content="more")
        ),
    )
    assert "more" in str(again.choices[0].message and again.choices[0].message.content)


async def test_the_output_cap_cuts_the_words(mistral: Mistral) -> None:
    prompt = [models.UserMessage(content="report of 500 words on bridges")]
    answer = await mistral.chat.complete_async(model=MEDIUM, messages=prompt, max_tokens=20)
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 20)


async def test_unparsable_arguments_are_sent_and_taken_back(mistral: Mistral) -> None:
    prompt = models.UserMessage(content="[[malformed look_up_order]]")
    answer = await mistral.chat.complete_async(model=MEDIUM, messages=[prompt], tools=TOOLS)
    turn = answer.choices[0].message
    assert turn
    call = call_of(turn)
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(str(call.function.arguments))
    told = models.ToolMessage(content="The arguments are not a JSON object.", tool_call_id=call.id)
    answer = await mistral.chat.complete_async(model=MEDIUM, messages=conversation(prompt, turn, told), tools=TOOLS)
    assert answer.choices[0].finish_reason == "stop"


async def test_what_gemini_blocks_mistral_declines(mistral: Mistral) -> None:
    answer = await mistral.chat.complete_async(model=MEDIUM, messages=[models.UserMessage(content="[[block]]")])
    assert answer.choices[0].message
    assert answer.choices[0].message.content == "I cannot help with that."


async def test_too_many_requests_say_when_to_come_back(mistral: Mistral, simulator: SimulatorClient) -> None:
    await simulator.fault("mistral", FaultKind.STATUS, status=429, retry_after=timedelta(seconds=3), count=1)
    with pytest.raises(SDKError) as refusal:
        await mistral.chat.complete_async(model=MEDIUM, messages=[ASK])
    assert refusal.value.status_code == 429
    assert refusal.value.raw_response.headers["retry-after"] == "3"
    assert json.loads(refusal.value.body)["type"] == "rate_limited"
    assert (await mistral.chat.complete_async(model=MEDIUM, messages=[ASK])).choices


@pytest.mark.parametrize(
    ("body", "keys", "status"),
    [
        ({"model": "gpt-7", "messages": [{"role": "user", "content": "hi"}]}, {}, 400),
        ({"model": MEDIUM, "messages": []}, {}, 422),
        ({"model": MEDIUM, "messages": [{"role": "user", "content": "hi"}]}, {"authorization": "Basic"}, 401),
        ({"model": MEDIUM, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 0}, {}, 422),
    ],
)
async def test_bad_requests_are_refused(
    http: httpx2.AsyncClient, body: object, keys: dict[str, str], status: int
) -> None:
    answer = await http.post("/mistral/v1/chat/completions", json=body, headers=keys)
    assert answer.status_code == answer.json()["raw_status_code"] == status
    assert answer.json()["message"]
