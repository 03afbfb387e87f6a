"""Answers as each provider gives them, for tests that care about what is in them and not whose they are."""

from typing import Any

from tests.llm.conftest import Caller
from tests.llm.wire import Wire


def gemini_event(
    *parts: dict[str, Any], finish: str | None = None, usage: dict[str, int] | None = None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [*parts], "role": "model"}}
    return {
        "candidates": [{**candidate, **({"finishReason": finish} if finish else {})}],
        "modelVersion": "gemini-2.5-flash",
        **({"usageMetadata": usage} if usage else {}),
    }


def mistral_event(
    content: object = "", calls: object = None, finish: str | None = None, usage: dict[str, int] | None = None
) -> dict[str, Any]:
    delta = {"role": "assistant", "content": content, "tool_calls": calls}
    return {
        "id": "1",
        "object": "chat.completion.chunk",
        "model": "mistral-medium-2508",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **({"usage": usage} if usage else {}),
    }


GEMINI_USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 2}
MISTRAL_USAGE = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}


def words(caller: Caller, text: str) -> dict[str, Any]:
    """A piece of an answer that goes on."""
    return gemini_event({"text": text}) if is_gemini(caller) else mistral_event(text)


def last(caller: Caller, text: str = "", *, usage: bool = True) -> dict[str, Any]:
    """The last piece of an answer."""
    if is_gemini(caller):
        return gemini_event({"text": text}, finish="STOP", usage=GEMINI_USAGE if usage else None)
    return mistral_event(text, finish="stop", usage=MISTRAL_USAGE if usage else None)


def answer_with_call(wire: Wire, caller: Caller, id: str | None, tool: str | None, arguments: Any) -> None:  # noqa: ANN401  # any JSON
    """The wire answers with one tool call."""
    if is_gemini(caller):
        call: dict[str, Any] = {"functionCall": {"name": tool, "args": arguments, **({"id": id} if id else {})}}
        wire.answer_events(gemini_event(call, finish="STOP", usage=GEMINI_USAGE))
    else:
        call = {"function": {"name": tool, "arguments": arguments}, **({"id": id} if id else {})}
        wire.answer_events(mistral_event(calls=[call], finish="tool_calls", usage=MISTRAL_USAGE))


def is_gemini(caller: Caller) -> bool:
    return caller.model.startswith("gemini:")
