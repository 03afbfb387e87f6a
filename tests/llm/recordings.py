"""Recorded provider traffic, and how to play it over the wire again."""

import base64
import json
import os
from pathlib import Path
from typing import Any

from surefoot.contracts.conversation import AssistantMessage, CallPart
from tests.llm.wire import Wire

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / os.environ.get("SUREFOOT_RECORDINGS", "../shared/recordings")


def recording(name: str) -> list[dict[str, Any]]:
    """The exchanges of a recording, in order."""
    exchanges: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return exchanges


def play(wire: Wire, response: dict[str, Any]) -> None:
    """Answer as recorded; what was not streamed goes as a stream of one event."""
    body, status = response["body"], response["status"]
    if status != 200:
        wire.answer_json(status, body)
    elif isinstance(body, str):
        wire.answer(body.encode())
    else:
        wire.answer_events(_streamed(body), end="data: [DONE]\n\n" if "choices" in body else "")


def _streamed(body: dict[str, Any]) -> dict[str, Any]:
    if "choices" not in body:
        return body
    choices = [
        {"index": choice["index"], "delta": choice["message"], "finish_reason": choice["finish_reason"]}
        for choice in body["choices"]
    ]
    return {**body, "object": "chat.completion.chunk", "choices": choices}


def renamed(message: AssistantMessage, ids: list[str]) -> AssistantMessage:
    """The message with the ids that the recording's client gave to its calls."""
    names = iter(ids)
    parts = [
        part.model_copy(update={"id": next(names)}) if isinstance(part, CallPart) else part for part in message.parts
    ]
    return message.model_copy(update={"parts": tuple(parts)})


def plain(value: Any) -> Any:  # noqa: ANN401  # any JSON
    """JSON without what clients write differently: names of types and fields, the alphabet of base64."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    items = {key.replace("_json_schema", "JsonSchema"): plain(item) for key, item in value.items()}
    if "parameters" in items:
        items["parametersJsonSchema"] = items.pop("parameters")
    if isinstance(items.get("type"), str):
        items["type"] = items["type"].lower()
    if signature := items.get("thoughtSignature"):
        items["thoughtSignature"] = base64.b64decode(signature, altchars="-_" if set(signature) & {*"-_"} else None)
    return items
