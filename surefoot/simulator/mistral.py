"""Mistral over HTTP: chat completions, plain and streamed."""

import hashlib
import json
import time
from collections.abc import Iterator

from pydantic import JsonValue, ValidationError
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from surefoot.contracts.base import JsonObject
from surefoot.contracts.models import Finish, Prompt, Usage
from surefoot.simulator.answers import Answer, json_answer, stream_answer
from surefoot.simulator.mistral_requests import KNOWN_MODEL, MistralRequest
from surefoot.simulator.models import Refused, Session, serve_model
from surefoot.simulator.pieces import pieces
from surefoot.simulator.script import Performance

CODES = {
    "invalid_model": "1500",
    "rate_limited": "1300",
    "invalid_function_call": "3280",
    "invalid_request_message_order": "3230",
    "invalid_request_invalid_args": "3051",
}
KINDS = {401: "unauthorized", 404: "not_found", 422: "invalid_request_error", 429: "rate_limited"}
REFUSAL = "I cannot help with that."


def _complain(status: int, message: str, code: str) -> Answer:
    kind = code or KINDS.get(status) or ("invalid_request_error" if status < 500 else "internal_server_error")
    return json_answer(
        status,
        {
            "object": "error",
            "message": message,
            "type": kind,
            "param": None,
            "code": CODES.get(kind),
            "raw_status_code": status,
        },
    )


async def _serve(request: Request) -> ASGIApp:
    return await serve_model(request, "mistral", _complete, _complain)


def _understood(session: Session) -> tuple[MistralRequest, Prompt]:
    if not session.request.headers.get("authorization", "").startswith("Bearer "):
        raise Refused(401, "Unauthorized")
    try:
        asked = MistralRequest.model_validate(session.body)
    except ValidationError as error:
        problem = error.errors()[0]
        raise Refused(422, f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
    if not KNOWN_MODEL.fullmatch(session.model):
        raise Refused(400, f"Invalid model: {session.model}", "invalid_model")
    prompt = asked.prompt()
    if excess := session.excess(prompt):
        raise Refused(
            400,
            f"Prompt contains {excess} tokens and 0 draft tokens, too large for model with {session.context} maximum "
            "context length",
            "invalid_request_invalid_args",
        )
    return asked, prompt


def _complete(session: Session) -> Answer:
    asked, prompt = _understood(session)
    performance = session.perform(prompt, think=asked.think)
    session.signatures.made_elsewhere(prompt.messages, performance.calls)
    if asked.stream:
        return stream_answer(_events(session, performance))
    message: JsonObject = {
        "role": "assistant",
        "content": _content(performance),
        "tool_calls": list(_calls(performance)) or None,
    }
    choice: JsonObject = {"index": 0, "message": message, "finish_reason": _finish(performance)}
    return json_answer(200, {**_head(session, "chat.completion", choice), "usage": _usage(performance.usage)})


def _events(session: Session, performance: Performance) -> Iterator[str]:
    """The role, the thoughts, the words; then the calls, if any, with the reason to end and the usage."""
    yield _event(session, {"role": "assistant", "content": ""})
    for piece in pieces(performance.thinking):
        yield _event(session, {"content": [_thought(piece)]})
    for piece in pieces(_words(performance)):
        yield _event(session, {"content": piece})
    calls = list(_calls(performance))
    end: JsonObject = {"content": "", "tool_calls": calls} if calls else {"content": ""}
    yield _event(session, end, performance)
    yield "data: [DONE]\n\n"


def _event(session: Session, delta: JsonObject, ended: Performance | None = None) -> str:
    choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": _finish(ended) if ended else None}
    event = _head(session, "chat.completion.chunk", choice)
    if ended:
        event["usage"] = _usage(ended.usage)
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n"


def _head(session: Session, kind: str, choice: JsonObject) -> JsonObject:
    return {
        "id": hashlib.sha256(str(session.call.n).encode()).hexdigest()[:32],
        "object": kind,
        "created": int(time.time()),
        "model": session.version,
        "choices": [choice],
    }


def _words(performance: Performance) -> str:
    """Mistral has no safety block of its own: it declines in words."""
    return REFUSAL if performance.blocked else performance.text


def _content(performance: Performance) -> JsonValue:
    if not performance.thinking:
        return _words(performance)
    return [_thought(performance.thinking), {"type": "text", "text": _words(performance)}]


def _thought(text: str) -> JsonObject:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _calls(performance: Performance) -> Iterator[JsonValue]:
    for index, call in enumerate(performance.calls):
        arguments = json.dumps(call.arguments, ensure_ascii=False) if call.malformed is None else call.malformed
        yield {"id": call.id, "function": {"name": call.tool, "arguments": arguments}, "index": index}


def _finish(performance: Performance) -> str:
    if performance.finish is Finish.LENGTH:
        return "length"
    return "tool_calls" if performance.calls else "stop"


def _usage(usage: Usage) -> JsonObject:
    counts: JsonObject = {
        "prompt_tokens": usage.input_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "completion_tokens": usage.output_tokens,
    }
    return counts | ({"prompt_tokens_details": {"cached_tokens": usage.cached_tokens}} if usage.cached_tokens else {})


def routes() -> list[Route]:
    return [Route("/mistral/v1/chat/completions", _serve, methods=["POST"])]
