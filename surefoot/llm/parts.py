"""Parts of an assistant message: put together from a stream, and written so that any provider takes them back."""

import json
from collections.abc import Iterable, Mapping
from typing import cast

from pydantic_core import from_json

from surefoot.contracts.base import JsonObject
from surefoot.contracts.conversation import CallPart, ConversationMessage, Part, TextPart, ThinkingPart
from surefoot.llm.names import new_call_id

Words = TextPart | ThinkingPart


def merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Join neighbouring words of one kind and drop empty ones; what carries a signature stands alone, as it came."""
    runs: list[list[Part]] = []
    for part in parts:
        if runs and _joins(runs[-1][-1], part):
            runs[-1].append(part)
        else:
            runs.append([part])
    return tuple(part for part in map(_joined, runs) if not _says_nothing(part))


def _joins(before: Part, after: Part) -> bool:
    return before.kind == after.kind != "call" and before.signature is None and after.signature is None


def _joined(run: list[Part]) -> Part:
    first = run[0]
    if isinstance(first, CallPart) or len(run) == 1:
        return first
    return type(first)(text="".join(part.text for part in run if isinstance(part, Words)))


def _says_nothing(part: Part) -> bool:
    return isinstance(part, Words) and not part.text and part.signature is None


def json_object(text: str) -> JsonObject | None:
    """Read text as a JSON object; None if it is anything else, or holds NaN or half a character."""
    try:
        value: object = from_json(text, allow_inf_nan=False)
    except ValueError:
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None


def call_part(
    id: str | None, tool: str | None, arguments: str | Mapping[str, object], signature: str | None = None
) -> CallPart:
    """A call as the model asked for it. No arguments at all are an empty object; no name is the empty name."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    parsed = json_object(text) if text.strip() else {}
    return CallPart(
        id=id or new_call_id(),
        tool=tool or "",
        arguments=parsed or {},
        malformed=text if parsed is None else None,
        signature=signature,
    )


def arguments_of(call: CallPart) -> JsonObject:
    """A call's arguments as they are sent back: providers refuse those that are no JSON object."""
    return call.arguments if call.malformed is None else {"malformed_arguments": call.malformed}


def call_ids(messages: Iterable[ConversationMessage]) -> set[str]:
    """Ids of the calls that a conversation holds."""
    return {call.id for message in messages if message.role == "assistant" for call in message.calls}


def with_unique_ids(parts: Iterable[Part], taken: set[str]) -> tuple[Part, ...]:
    """Give a new id to each call whose own is taken, in the conversation or by an earlier part."""
    unique: list[Part] = []
    for part in parts:
        if isinstance(part, CallPart):
            if part.id in taken:
                part = part.model_copy(update={"id": new_call_id()})
            taken = taken | {part.id}
        unique.append(part)
    return tuple(unique)
