"""What the simulator says has the shape of what the providers said when they were recorded."""

import httpx2
import pytest
from pydantic import JsonValue

from tests.llm.recordings import recording
from tests.simulator.shapes import Shape, events_of, recorded, shape_of

TOOLS = ["look_up_order", "look_up_customer"]
PROMPTS = [
    "hello",
    "report of 200 words on tea",
    "[[call look_up_order {}]]",
    '[[parallel look_up_order {"order_id": "A-1001"} look_up_customer {}]]',
    "[[malformed look_up_order]]",
    "[[empty]]",
    "[[block]]",
    "[[think]] hello",
]
GEMINI = "/gemini/v1beta/models/gemini-2.5-flash"


def gemini_body(text: str) -> dict[str, JsonValue]:
    declarations: list[JsonValue] = [{"name": name, "parameters": {"type": "OBJECT"}} for name in TOOLS]
    return {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "tools": [{"functionDeclarations": declarations}],
        "generationConfig": {"maxOutputTokens": 300},
    }


def mistral_body(text: str, **more: JsonValue) -> dict[str, JsonValue]:
    tools: list[JsonValue] = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in TOOLS]
    return {
        "model": "mistral-medium-latest",
        "messages": [{"role": "user", "content": text}],
        "tools": tools,
        "max_tokens": 300,
        **more,
    }


def strangers(values: list[JsonValue], provider: str) -> Shape:
    """What no recording of the provider has."""
    return set().union(*map(shape_of, values)) - recorded(provider)


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_gemini_says_nothing_that_was_never_recorded(http: httpx2.AsyncClient, prompt: str) -> None:
    plain = await http.post(f"{GEMINI}:generateContent", json=gemini_body(prompt))
    stream = await http.post(f"{GEMINI}:streamGenerateContent?alt=sse", json=gemini_body(prompt))
    assert plain.status_code == stream.status_code == 200
    assert stream.headers["content-type"] == "text/event-stream"
    assert stream.text.endswith("\r\n\r\n")
    assert strangers([plain.json(), *events_of(stream.text)], "gemini") == set()


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_mistral_says_nothing_that_was_never_recorded(http: httpx2.AsyncClient, prompt: str) -> None:
    stream = await http.post("/mistral/v1/chat/completions", json=mistral_body(prompt, stream=True))
    assert stream.text.endswith("data: [DONE]\n\n")
    assert strangers(events_of(stream.text), "mistral") == set()
    if prompt != "[[think]] hello":  # no plain answer with thoughts was recorded
        plain = await http.post("/mistral/v1/chat/completions", json=mistral_body(f"[[cached]] {prompt}"))
        assert strangers([plain.json()], "mistral") == set()


async def test_an_unknown_model_is_answered_as_gemini_answers_it(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/gemini/v1beta/models/gemini-3.6-flahs:generateContent", json=gemini_body("hello"))
    [exchange] = recording("gemini/unknown_model_404")
    assert answer.status_code == 404
    assert shape_of(answer.json()) == shape_of(exchange["response"]["body"])
    assert answer.json()["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize("name", ["stream_tool_calls", "tool_calls", "tool_calls_thinking_signatures", "stream_text"])
async def test_what_clients_sent_to_gemini_is_understood(http: httpx2.AsyncClient, name: str) -> None:
    for exchange in recording(f"gemini/{name}"):
        path = (
            exchange["request"]["uri"]
            .partition("googleapis.com")[2]
            .replace("gemini-2.0-flash-exp", "gemini-2.0-flash")
        )
        body = exchange["request"]["body"]
        if "-3-" in path and len(body["contents"]) > 1:
            continue  # signed by Google, so not valid here
        assert (await http.post(f"/gemini{path}", json=body)).status_code == 200


@pytest.mark.parametrize("name", ["text", "tool_calls", "cached_tokens", "stream_thinking"])
async def test_what_clients_sent_to_mistral_is_understood(http: httpx2.AsyncClient, name: str) -> None:
    for exchange in recording(f"mistral/{name}"):
        answer = await http.post("/mistral/v1/chat/completions", json=exchange["request"]["body"])
        assert answer.status_code == 200
