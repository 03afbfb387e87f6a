"""Gemini over HTTP: ``generateContent``, ``streamGenerateContent`` and ``countTokens``."""

import hashlib
import json

from pydantic import JsonValue, ValidationError
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from surefoot.contracts.base import JsonObject
from surefoot.contracts.models import Finish, Prompt, Usage
from surefoot.simulator.answers import Answer, json_answer, stream_answer
from surefoot.simulator.gemini_requests import KNOWN_MODEL, GeminiRequest
from surefoot.simulator.models import Refused, Session, serve_model
from surefoot.simulator.pieces import pieces
from surefoot.simulator.script import Performance
from surefoot.simulator.signatures import WrongSignature
from surefoot.simulator.tokens import input_tokens, tokens_of

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
FINISHES = {
    Finish.STOP: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.MALFORMED_CALL: "MALFORMED_FUNCTION_CALL",
}
VERSIONS = ("v1beta", "v1", "v1alpha")
"""All the same here; SDKs differ in which one they ask for."""
HARMS = ("HATE_SPEECH", "DANGEROUS_CONTENT", "HARASSMENT", "SEXUALLY_EXPLICIT")


def _complain(status: int, message: str, code: str) -> Answer:
    name = code or STATUSES.get(status, "INTERNAL")
    return json_answer(status, {"error": {"code": status, "message": message, "status": name}})


async def _serve(request: Request) -> ASGIApp:
    model, _, method = request.path_params["call"].partition(":")
    request.path_params["model"] = model
    match method:
        case "generateContent":
            return await serve_model(request, "gemini", _generate, _complain)
        case "streamGenerateContent":
            return await serve_model(request, "gemini", _stream, _complain)
        case "countTokens":
            return await serve_model(request, "gemini", _count, _complain, operation="countTokens")
    return _complain(404, f"method {method!r} is not known", "")


def _understood(session: Session) -> tuple[GeminiRequest, Prompt]:
    if not session.request.headers.get("x-goog-api-key"):
        raise Refused(403, "Method doesn't allow unregistered callers. Please use API Key to call this API.")
    if not KNOWN_MODEL.fullmatch(session.model):
        raise Refused(404, f"models/{session.model} is not found for API version v1beta.")
    try:
        asked = GeminiRequest.model_validate(session.body)
    except ValidationError as error:
        problem = error.errors()[0]
        raise Refused(400, f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
    prompt = asked.prompt(session.model)
    try:
        session.signatures.check(prompt.messages, strict=session.model.startswith("gemini-3"))
    except WrongSignature as wrong:
        raise Refused(400, str(wrong)) from wrong
    if excess := session.excess(prompt):
        raise Refused(
            400,
            f"The input token count ({excess}) exceeds the maximum number of tokens allowed ({session.context}).",
        )
    return asked, prompt


def _count(session: Session) -> Answer:
    _, prompt = _understood(session)
    tokens = input_tokens(prompt)
    return json_answer(200, {"totalTokens": tokens, "promptTokensDetails": _text_tokens(tokens)})


def _generate(session: Session) -> Answer:
    asked, prompt = _understood(session)
    performance = session.perform(prompt, think=asked.think)
    parts = [*_thoughts(asked, performance), *_words(performance), *_calls(session, prompt, performance)]
    return json_answer(200, _response(session, performance, parts, performance.usage, last=True))


def _stream(session: Session) -> Answer:
    """Text in several events, calls in one; each event has the usage so far, the last one the reason to end."""
    asked, prompt = _understood(session)
    performance = session.perform(prompt, think=asked.think)
    chunks: list[list[JsonValue]] = [[part] for part in _thoughts(asked, performance)]
    chunks += [[{"text": piece}] for piece in pieces(performance.text)]
    if calls := _calls(session, prompt, performance):
        chunks.append(calls)
    chunks = chunks or [_words(performance)]
    events, said = [], ""
    for index, parts in enumerate(chunks):
        last = index == len(chunks) - 1
        said += "".join(str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part)
        event = _response(session, performance, parts, performance.usage if last else _so_far(performance, said), last)
        events.append(f"data: {json.dumps(event, ensure_ascii=False)}\r\n\r\n")
    return stream_answer(events)


def _thoughts(asked: GeminiRequest, performance: Performance) -> list[JsonValue]:
    """Shown only to those who asked to see them."""
    return [{"text": performance.thinking, "thought": True}] if asked.show_thoughts and performance.thinking else []


def _words(performance: Performance) -> list[JsonValue]:
    return [] if performance.calls else [{"text": performance.text}]


def _calls(session: Session, prompt: Prompt, performance: Performance) -> list[JsonValue]:
    """Calls carry no ids; the first one carries the signature for all of them."""
    if not performance.calls or performance.finish is Finish.MALFORMED_CALL:
        return []
    signature = session.signatures.sign(prompt.messages, performance.calls)
    parts: list[JsonValue] = [
        {"functionCall": {"name": call.tool, "args": call.arguments}} for call in performance.calls
    ]
    first = parts[0]
    assert isinstance(first, dict)
    return [{**first, "thoughtSignature": signature}, *parts[1:]]


def _so_far(performance: Performance, said: str) -> Usage:
    thinking = performance.usage.thinking_tokens
    return performance.usage.model_copy(update={"output_tokens": thinking + tokens_of(said)})


def _response(
    session: Session, performance: Performance, parts: list[JsonValue], usage: Usage, last: bool
) -> JsonObject:
    return {
        "candidates": [_candidate(performance, parts, last)],
        "usageMetadata": _metadata(usage),
        "modelVersion": session.version,
        "responseId": hashlib.sha256(str(session.call.n).encode()).hexdigest()[:22],
    }


def _candidate(performance: Performance, parts: list[JsonValue], last: bool) -> JsonObject:
    if performance.blocked:
        ratings: list[JsonValue] = [
            {"category": f"HARM_CATEGORY_{harm}", "probability": "HIGH" if harm == HARMS[0] else "NEGLIGIBLE"}
            for harm in HARMS
        ]
        return {"content": {}, "finishReason": "SAFETY", "safetyRatings": ratings, "index": 0}
    if performance.finish is Finish.MALFORMED_CALL:
        message = f"Malformed function call: {performance.calls[0].tool}({performance.calls[0].malformed}"
        return {"content": {}, "finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": message, "index": 0}
    candidate: JsonObject = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if last:
        candidate["finishReason"] = FINISHES[performance.finish]
        if performance.calls:
            candidate["finishMessage"] = "Model generated function call(s)."
    return candidate


def _metadata(usage: Usage) -> JsonObject:
    spoken = usage.output_tokens - usage.thinking_tokens
    metadata: JsonObject = {
        "promptTokenCount": usage.input_tokens,
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
        "promptTokensDetails": _text_tokens(usage.input_tokens),
    }
    counts = {
        "candidatesTokenCount": spoken,
        "thoughtsTokenCount": usage.thinking_tokens,
        "cachedContentTokenCount": usage.cached_tokens,
    }
    return metadata | {name: count for name, count in counts.items() if count}


def _text_tokens(tokens: int) -> list[JsonValue]:
    return [{"modality": "TEXT", "tokenCount": tokens}]


def routes() -> list[Route]:
    return [Route(f"/gemini/{version}/models/{{call}}", _serve, methods=["POST"]) for version in VERSIONS]
