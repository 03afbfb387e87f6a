"""Google's SDK talks to the simulator as to Gemini."""

from datetime import timedelta

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.faults import FaultKind

FLASH = "gemini-2.5-flash"
ORDER = types.FunctionDeclaration(
    name="look_up_order",
    description="Look up an order.",
    parameters_json_schema={"type": "object", "properties": {"order_id": {"type": "string"}}},
)
CONFIG = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[ORDER])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)
ASK = "What about order A-1001?"


def user(text: str) -> types.Content:
    return types.Content(role="user", parts=[types.Part(text=text)])


def result(*parts: types.Part) -> types.Content:
    return types.Content(role="user", parts=list(parts))


def found(order: str) -> types.Part:
    return types.Part.from_function_response(
        name="look_up_order", response={"id": order, "total": "49.90", "status": "delivered"}
    )


async def asked(google: genai.Client, model: str = FLASH) -> types.Content:
    """The turn in which the model asks for the order."""
    answer = await google.aio.models.generate_content(model=model, contents=[user(ASK)], config=CONFIG)
    assert answer.candidates
    content = answer.candidates[0].content
    assert content is not None
    return content


async def test_a_call_its_result_and_the_answer(google: genai.Client) -> None:
    turn = await asked(google)
    answer = await google.aio.models.generate_content(
        model=FLASH, contents=[user(ASK), turn, result(found("A-1001"))], config=CONFIG
    )
    assert answer.text
    assert "order A-1001 over 49.90 EUR is delivered" in answer.text


@pytest.mark.parametrize("model", [FLASH, "gemini-3-flash-preview"])
async def test_a_follow_up_without_the_signature_is_refused(google: genai.Client, model: str) -> None:
    turn = await asked(google, model)
    assert turn.parts
    assert turn.parts[0].thought_signature
    for signature in (None, b"skip_thought_signature_validator", b"made up"):
        turn.parts[0].thought_signature = signature
        with pytest.raises(errors.ClientError, match="signature") as refusal:
            await google.aio.models.generate_content(
                model=model, contents=[user(ASK), turn, result(found("A-1001"))], config=CONFIG
            )
        assert (refusal.value.code, refusal.value.status) == (400, "INVALID_ARGUMENT")


async def test_calls_of_another_provider_need_no_signature(google: genai.Client, http: httpx2.AsyncClient) -> None:
    turn = await asked(google)
    assert turn.parts
    turn.parts[0].thought_signature = None
    tool = {"type": "function", "function": {"name": "look_up_order", "parameters": ORDER.parameters_json_schema}}
    body = {"model": "mistral-medium-latest", "messages": [{"role": "user", "content": ASK}], "tools": [tool]}
    assert (await http.post("/mistral/v1/chat/completions", json=body)).json()["choices"][0]["message"]["tool_calls"]
    answer = await google.aio.models.generate_content(
        model=FLASH, contents=[user(ASK), turn, result(found("A-1001"))], config=CONFIG
    )
    assert answer.text


@pytest.mark.parametrize("results", [[], [found("A-1001"), found("A-1001")]])
async def test_as_many_results_as_calls_are_wanted(google: genai.Client, results: list[types.Part]) -> None:
    turn = await asked(google)
    with pytest.raises(errors.ClientError, match="number of function response parts"):
        await google.aio.models.generate_content(
            model=FLASH, contents=[user(ASK), turn, result(*results, types.Part(text="well?"))], config=CONFIG
        )


async def test_a_stream_says_the_same_and_counts_as_it_goes(google: genai.Client, simulator: SimulatorClient) -> None:
    prompt = "report of 60 words on bridges"
    plain = await google.aio.models.generate_content(model=FLASH, contents=prompt)
    chunks = [chunk async for chunk in await google.aio.models.generate_content_stream(model=FLASH, contents=prompt)]
    assert len(chunks) > 2
    assert "".join(chunk.text or "" for chunk in chunks) == plain.text
    counts = [chunk.usage_metadata.candidates_token_count or 0 for chunk in chunks if chunk.usage_metadata]
    assert counts == sorted(counts)
    assert chunks[-1].usage_metadata == plain.usage_metadata
    assert chunks[-1].candidates
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    first, second = await simulator.calls("gemini")
    assert first.usage == second.usage
    assert first.usage
    assert first.usage.output_tokens == counts[-1]
    assert first.model_version == FLASH


async def test_the_output_cap_cuts_the_words(google: genai.Client) -> None:
    answer = await google.aio.models.generate_content(
        model=FLASH,
        contents="report of 500 words on bridges",
        config=types.GenerateContentConfig(max_output_tokens=20),
    )
    assert answer.candidates
    assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert answer.usage_metadata
    assert answer.usage_metadata.candidates_token_count == 20


async def test_tokens_can_be_counted_without_a_call(google: genai.Client) -> None:
    count = await google.aio.models.count_tokens(model=FLASH, contents="x" * 41)
    answer = await google.aio.models.generate_content(model=FLASH, contents="x" * 41)
    assert answer.usage_metadata
    assert count.total_tokens == answer.usage_metadata.prompt_token_count == 11


async def test_thoughts_are_counted_and_shown_to_who_asks(google: genai.Client) -> None:
    config = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True))
    answer = await google.aio.models.generate_content(model=FLASH, contents="hello", config=config)
    assert answer.usage_metadata
    assert answer.usage_metadata.thoughts_token_count
    assert answer.parts
    assert answer.parts[0].thought
    silent = await google.aio.models.generate_content(model=FLASH, contents="[[cached]] [[think]] hello")
    assert silent.usage_metadata
    assert silent.usage_metadata.thoughts_token_count
    assert silent.usage_metadata.cached_content_token_count
    assert silent.parts
    assert not silent.parts[0].thought


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("[[block]]", types.FinishReason.SAFETY),
        ("[[malformed look_up_order]]", types.FinishReason.MALFORMED_FUNCTION_CALL),
    ],
)
async def test_a_kept_back_answer_says_why(google: genai.Client, prompt: str, reason: types.FinishReason) -> None:
    answer = await google.aio.models.generate_content(model=FLASH, contents=prompt)
    assert answer.text is None
    assert answer.candidates
    assert answer.candidates[0].finish_reason == reason


async def test_a_fault_of_one_model_leaves_the_other_alone(google: genai.Client, simulator: SimulatorClient) -> None:
    await simulator.fault(
        "gemini", FaultKind.STATUS, operation="gemini-2.5-pro", status=429, retry_after=timedelta(seconds=3)
    )
    with pytest.raises(errors.ClientError) as refusal:
        await google.aio.models.generate_content(model="gemini-2.5-pro", contents="hello")
    assert (refusal.value.code, refusal.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert refusal.value.response.headers["retry-after"] == "3"
    assert (await google.aio.models.generate_content(model=FLASH, contents="hello")).text
    refused, served = await simulator.calls("gemini")
    assert (refused.status, refused.usage) == (429, None)
    assert (served.operation, served.status) == (FLASH, 200)


async def test_another_model_may_serve(google: genai.Client, simulator: SimulatorClient) -> None:
    await simulator.fault("gemini", FaultKind.SERVED_AS, model="gemini-3-flash")
    answer = await google.aio.models.generate_content(model=FLASH, contents="hello")
    assert answer.model_version == "gemini-3-flash"
    [call] = await simulator.calls("gemini")
    assert (call.operation, call.model_version) == (FLASH, "gemini-3-flash")


async def test_a_stream_cut_in_the_middle_was_worked_on(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await simulator.fault("gemini", FaultKind.CUT)
    body = {"contents": [{"parts": [{"text": "report of 200 words on bridges"}]}]}
    url = f"/gemini/v1beta/models/{FLASH}:streamGenerateContent?alt=sse"
    async with http.stream("POST", url, json=body) as answer:
        texts = answer.aiter_text()
        heard = await anext(texts)
        with pytest.raises(httpx2.ReadError):
            await anext(texts)
    assert "bridges" in heard
    assert "finishReason" not in heard
    [call] = await simulator.calls("gemini")
    assert call.usage
    assert (call.fault, call.status) == ("cut", None)


@pytest.mark.parametrize(
    ("body", "keys", "status"),
    [
        ({"contents": []}, {}, 400),
        ({"contents": [{"parts": [{"text": "hi"}]}]}, {"x-goog-api-key": ""}, 403),
        ({"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}]}, {}, 400),
        ([], {}, 400),
    ],
)
async def test_bad_requests_are_refused(
    http: httpx2.AsyncClient, body: object, keys: dict[str, str], status: int
) -> None:
    answer = await http.post(f"/gemini/v1beta/models/{FLASH}:generateContent", json=body, headers=keys)
    assert answer.status_code == answer.json()["error"]["code"] == status


async def test_an_unknown_method_is_not_found(http: httpx2.AsyncClient) -> None:
    assert (await http.post(f"/gemini/v1beta/models/{FLASH}:dance", json={})).status_code == 404
