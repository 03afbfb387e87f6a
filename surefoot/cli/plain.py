"""Text and values made fit for a terminal and for JSON."""

import re
from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, JsonValue
from pydantic.alias_generators import to_camel
from pydantic_core import to_jsonable_python

_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colours, cursor moves
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # titles, links, clipboard
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # device control strings
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""All but newline and tab; also what turns the direction of writing, and halves of characters."""


def plain(text: str) -> str:
    """The text without anything that a terminal would obey."""
    return _CONTROLS.sub("", _SEQUENCES.sub("", text))


def one_line(text: object) -> str:
    """The same in one line."""
    return " ".join(plain(str(text)).split())


def public(value: object) -> JsonValue:
    """A value as JSON with names in camelCase; the keys of a dictionary are data and stay."""
    if isinstance(value, BaseModel):
        return fields(value)
    if isinstance(value, Mapping):
        return {str(key): public(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [public(item) for item in value]
    found: JsonValue = to_jsonable_python(value)
    return found


def fields(value: BaseModel) -> dict[str, JsonValue]:
    """A model's fields as JSON, to be put together with others."""
    return {to_camel(name): public(getattr(value, name)) for name in type(value).model_fields}


def count(number: int, thing: str) -> str:
    """``1 turn``, ``2 turns``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def when(moment: datetime | None) -> str:
    """Local time to the second; empty for None."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""
