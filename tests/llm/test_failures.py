"""What a provider's failure means: who has to act, what the breaker learns, what may be billed."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.models import Usage
from surefoot.errors import Fault, ProviderFailure
from surefoot.llm.errors import wait_asked_for
from surefoot.llm.gemini import GeminiModel
from surefoot.llm.mistral import MistralModel
from tests.llm.answers import GEMINI_USAGE, gemini_event, last, words
from tests.llm.conftest import KEY, Caller
from tests.llm.wire import End, Wire, sse

RETRYABLE, PERMANENT = Fault.RETRYABLE, Fault.PERMANENT
FAILURE, NEUTRAL, THROTTLED = Verdict.FAILURE, Verdict.NEUTRAL, Verdict.THROTTLED


async def failure(caller: Caller, idle_limit: timedelta = timedelta(seconds=20)) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught:
        await caller(idle_limit=idle_limit)
    return caught.value


@pytest.mark.parametrize(
    ("status", "fault", "verdict", "maybe_billed"),
    [
        (302, PERMANENT, NEUTRAL, False),
        (400, PERMANENT, NEUTRAL, False),
        (401, PERMANENT, NEUTRAL, False),
        (403, PERMANENT, NEUTRAL, False),
        (404, PERMANENT, NEUTRAL, False),
        (408, RETRYABLE, FAILURE, True),
        (409, RETRYABLE, NEUTRAL, False),
        (413, PERMANENT, NEUTRAL, False),
        (418, PERMANENT, NEUTRAL, False),
        (422, PERMANENT, NEUTRAL, False),
        (429, RETRYABLE, THROTTLED, False),
        (500, RETRYABLE, FAILURE, False),
        (502, RETRYABLE, FAILURE, False),
        (503, RETRYABLE, FAILURE, False),
        (504, RETRYABLE, FAILURE, True),
        (529, RETRYABLE, FAILURE, False),
    ],
)
async def test_every_status_has_its_meaning_and_is_asked_for_once(
    wire: Wire, either: Caller, status: int, fault: Fault, verdict: Verdict, maybe_billed: bool
) -> None:
    wire.answer_json(status, {"error": {"code": status, "message": "so it is", "status": "X"}, "message": "so it is"})
    met = await failure(either)
    assert (met.fault, met.verdict, met.maybe_billed, met.status) == (fault, verdict, maybe_billed, status)
    assert f"answered {status}" in str(met)
    assert "so it is" in str(met)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_passed_on(wire: Wire, either: Caller, status: int) -> None:
    wire.answer_json(status, {"message": "slowly"}, retry_after="7")
    assert (await failure(either)).retry_after == timedelta(seconds=7)


async def test_retry_after_of_a_refusal_for_good_is_not(wire: Wire, either: Caller) -> None:
    wire.answer_json(403, {"message": "no"}, retry_after="7")
    assert (await failure(either)).retry_after is None


async def test_google_s_retry_info_is_a_retry_after(wire: Wire, gemini: Caller) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    quota = {"@type": "type.googleapis.com/google.rpc.QuotaFailure"}
    wire.answer_json(429, {"error": {"code": 429, "message": "quota", "details": [quota, info]}})
    assert (await failure(gemini)).retry_after == timedelta(seconds=34.5)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", timedelta(0)),
        ("2.5", timedelta(seconds=2.5)),
        ("Sat, 21 Nov 2026 10:00:30 GMT", timedelta(seconds=30)),
        ("Sat, 21 Nov 2026 09:00:00 GMT", timedelta(0)),
        ("999999999", timedelta(days=1)),
        ("-3", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(header: str, wait: timedelta | None) -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert wait_asked_for({"retry-after": header}, now=now) == wait


async def test_an_error_that_is_no_json_is_told_all_the_same(wire: Wire, either: Caller) -> None:
    wire.answer(b"<html>Bad Gateway</html>", status=502, content_type="text/html")
    met = await failure(either)
    assert (met.status, met.fault, met.verdict) == (502, RETRYABLE, FAILURE)


async def test_keys_never_show_in_messages(wire: Wire, either: Caller) -> None:
    said = f"key {KEY} or AIzaSyAnotherOne123 in ?key=abc123def of Authorization: Bearer xyz.123 is wrong"
    wire.answer_json(401, {"error": {"message": said}, "message": said})
    met = str(await failure(either))
    assert "is wrong" in met
    assert not [secret for secret in (KEY, "AIzaSyAnother", "abc123", "xyz.123") if secret in met]


async def test_a_refused_connection_is_retryable_and_costs_nothing() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, never listening: connections are refused
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        for port, model in ((GeminiModel(KEY, url), "gemini:gemini-2.5-pro"), (MistralModel(KEY, url), "mistral:m")):
            met = await failure(Caller(port, model))
            assert (met.fault, met.verdict, met.maybe_billed) == (RETRYABLE, FAILURE, False)
            await port.aclose()


@pytest.mark.parametrize("end", [End.RESET, End.CUT])
async def test_a_connection_lost_before_the_answer_may_be_billed(wire: Wire, either: Caller, end: End) -> None:
    wire.answer(end)
    met = await failure(either)
    assert (met.fault, met.verdict, met.maybe_billed) == (RETRYABLE, FAILURE, True)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("end", [End.RESET, End.CUT])
async def test_a_connection_lost_in_mid_answer_may_be_billed(wire: Wire, either: Caller, end: End) -> None:
    wire.answer(*sse([words(either, "Half of")]), timedelta(milliseconds=50), end)
    met = await failure(either)
    assert either.words == ["Half of"]
    assert (met.fault, met.verdict, met.maybe_billed) == (RETRYABLE, FAILURE, True)
    assert len(wire.requests) == 1


async def test_a_stream_that_stops_without_a_finish_is_a_broken_answer(wire: Wire, either: Caller) -> None:
    wire.answer_events(words(either, "Half of"))
    met = await failure(either)
    assert (met.fault, met.verdict, met.maybe_billed) == (RETRYABLE, FAILURE, True)


async def test_an_answer_without_usage_is_not_booked_as_free(wire: Wire, either: Caller) -> None:
    wire.answer_events(last(either, "Done.", usage=False))
    met = await failure(either)
    assert "without usage" in str(met)
    assert (met.fault, met.maybe_billed) == (RETRYABLE, True)


@pytest.mark.parametrize(
    "body",
    [b"data: {\r\n\r\n", b'data: "words"\r\n\r\n', b"data: [1]\r\n\r\n", b'data: {"candidates": 3}\r\n\r\n', b"<p>"],
)
async def test_nonsense_is_a_broken_answer(wire: Wire, either: Caller, body: bytes) -> None:
    wire.answer(body)
    met = await failure(either)
    assert (met.fault, met.verdict, met.maybe_billed) == (RETRYABLE, FAILURE, True)


async def test_an_answer_of_another_content_type_is_a_broken_answer(wire: Wire, either: Caller) -> None:
    wire.answer(b'{"unfinished": [1, 2', content_type="application/json")
    met = await failure(either)
    assert (met.fault, met.verdict, met.maybe_billed) == (RETRYABLE, FAILURE, True)


@pytest.mark.parametrize("pieces", [(), ("Half of",)])
async def test_silence_longer_than_the_limit_is_a_failure_that_may_be_billed(
    wire: Wire, either: Caller, pieces: tuple[str, ...]
) -> None:
    wire.answer(*sse(words(either, piece) for piece in pieces), timedelta(seconds=5))
    met = await failure(either, idle_limit=timedelta(milliseconds=600))
    assert "silent for 0.6 s" in str(met)
    assert (met.fault, met.verdict, met.maybe_billed) == (RETRYABLE, FAILURE, True)
    assert either.words == [*pieces]


async def test_a_slow_stream_is_not_silent(wire: Wire, either: Caller) -> None:
    pauses = [timedelta(milliseconds=500)] * 4
    events = sse([*(words(either, str(number)) for number in range(4)), last(either, "!")])
    wire.answer(*(piece for pair in zip(events, pauses, strict=False) for piece in pair), events[-1])
    answer = await either(idle_limit=timedelta(milliseconds=1800))
    assert answer.message.text == "0123!"


async def test_an_error_inside_a_stream_keeps_its_status_and_may_be_billed(wire: Wire, gemini: Caller) -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    wire.answer_events(gemini_event({"text": "Half of"}), error)
    met = await failure(gemini)
    assert (met.status, met.fault, met.verdict, met.maybe_billed) == (503, RETRYABLE, FAILURE, True)


@pytest.mark.parametrize("error", [{}, {"message": "?"}, {"code": None}])
async def test_an_error_inside_a_stream_without_a_status_is_a_broken_answer(
    wire: Wire, gemini: Caller, error: dict[str, object]
) -> None:
    wire.answer_events({"error": error})
    met = await failure(gemini)
    assert (met.fault, met.verdict, met.maybe_billed) == (RETRYABLE, FAILURE, True)


async def test_an_error_inside_mistral_s_stream_is_a_broken_answer(wire: Wire, mistral: Caller) -> None:
    wire.answer_events({"object": "error", "message": "overloaded", "code": 3505})
    met = await failure(mistral)
    assert (met.fault, met.verdict, met.maybe_billed) == (RETRYABLE, FAILURE, True)


async def test_a_blocked_prompt_says_why_and_what_reading_it_cost(wire: Wire, gemini: Caller) -> None:
    feedback = {"blockReason": "PROHIBITED_CONTENT"}
    wire.answer_events({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 9}, "modelVersion": "g"})
    met = await failure(gemini)
    assert "PROHIBITED_CONTENT" in str(met)
    assert (met.fault, met.verdict, met.maybe_billed) == (PERMANENT, NEUTRAL, True)
    assert (met.usage, met.model_version) == (Usage(input_tokens=9), "g")


@pytest.mark.parametrize("reason", ["RECITATION", "BLOCKLIST", "SPII", "LANGUAGE", "SOMETHING_NEW"])
async def test_an_answer_that_may_not_be_given_is_refused_for_good(wire: Wire, gemini: Caller, reason: str) -> None:
    wire.answer_events(gemini_event({"text": "Once"}, finish=reason, usage=GEMINI_USAGE))
    met = await failure(gemini)
    assert reason in str(met)
    assert (met.fault, met.verdict) == (PERMANENT, NEUTRAL)
    assert met.usage == Usage(input_tokens=10, output_tokens=2)


@pytest.mark.parametrize("reason", ["OTHER", "MALFORMED_RESPONSE"])
async def test_an_answer_that_went_wrong_may_be_asked_for_again(wire: Wire, gemini: Caller, reason: str) -> None:
    wire.answer_events(gemini_event(finish=reason, usage=GEMINI_USAGE))
    met = await failure(gemini)
    assert (met.fault, met.verdict, met.usage) == (RETRYABLE, FAILURE, Usage(input_tokens=10, output_tokens=2))


async def test_a_call_that_is_given_up_leaves_the_next_one_alone(wire: Wire, either: Caller) -> None:
    wire.answer(*sse([words(either, "Half of")]), timedelta(seconds=5))
    wire.answer_events(last(either, "Whole."))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await either()
    assert (await either()).message.text == "Whole."


GEMINI_TOO_LONG = "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576)."
MISTRAL_TOO_LONG = (
    "Prompt contains 39390 tokens and 0 draft tokens, too large for model with 32768 maximum context length"
)


@pytest.mark.parametrize(
    ("status", "message", "context"),
    [
        (400, GEMINI_TOO_LONG, 1_048_576),
        (400, "The input token count exceeds the maximum number of tokens allowed 131072.", 131_072),
        (400, MISTRAL_TOO_LONG, 32_768),
        (400, "The input token count is fine, the schema is not.", 0),
        (500, GEMINI_TOO_LONG, 0),
    ],
)
async def test_a_prompt_that_is_longer_than_the_context_is_told_apart_from_other_refusals(
    wire: Wire, either: Caller, status: int, message: str, context: int
) -> None:
    wire.answer_json(status, {"error": {"code": status, "message": message, "status": "X"}, "message": message})
    assert (await failure(either)).context_tokens == context
