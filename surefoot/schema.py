"""Arguments of a tool call, checked against the tool's JSON schema and brought into one form.

Pure and deterministic, so that workflows may call it: no clock, no I/O, and references are never fetched.
"""

import json
import math
import re
from collections.abc import Iterator
from functools import lru_cache

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

from surefoot.contracts.base import JsonObject
from surefoot.errors import InvalidInput

MAX_DEPTH = 64
"""Levels of nesting, in arguments and in what defaults add to them."""
MAX_PROBLEMS = 5
MAX_REASON = 300
"""Characters."""
LARGEST_EXACT = 2**53


def normalised(schema: JsonObject, arguments: JsonObject) -> JsonObject:
    """The arguments with defaults filled in and whole numbers as integers, if they satisfy the schema.

    Idempotent. Raises ``InvalidInput`` with one line that names what is missing, extra or wrong.
    """
    return compiled(schema).normalised(arguments)


def compiled(schema: JsonObject) -> "Schema":
    """The schema, ready to be used; the same object for an equal schema."""
    return _compiled(json.dumps(schema))


class Schema:
    """A tool's JSON schema, Draft 2020-12.

    Defaults are filled in objects, in items of lists, through ``$ref``, ``allOf`` and optional fields (``anyOf`` of
    one schema and null); other alternatives are left as they came, since none of them is known to be meant.
    Raises ``InvalidInput`` for what is no schema.
    """

    def __init__(self, schema: JsonObject) -> None:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise InvalidInput(f"the schema is wrong at {error.json_path}: {_line(error.message)}") from None
        self._schema = schema
        self._validator = Draft202012Validator(schema, registry=Registry())

    def normalised(self, arguments: JsonObject) -> JsonObject:
        """See the function of this name."""
        filled = self._filled(_canonical(arguments, depth=0))
        if told := list(dict.fromkeys(_told(error) for error in self._errors(filled))):
            more = f"; and {len(told) - MAX_PROBLEMS} more" if len(told) > MAX_PROBLEMS else ""
            raise InvalidInput("; ".join(told[:MAX_PROBLEMS]) + more)
        return filled

    def _errors(self, arguments: JsonObject) -> list[ValidationError]:
        try:
            return sorted(self._validator.iter_errors(arguments), key=lambda error: error.json_path)
        except Unresolvable as error:
            raise InvalidInput(f"the schema refers to {error.ref!r}, which is not in it") from None
        except RecursionError:
            raise InvalidInput("the schema refers to itself without end") from None
        except re.error as error:
            raise InvalidInput(f"the schema has an unreadable pattern {error.pattern!r}") from None

    def _filled(self, arguments: JsonValue) -> JsonObject:
        for _ in range(MAX_DEPTH):
            before = arguments
            arguments = self._fill(self._schema, before)
            if arguments == before:
                break
        else:
            raise InvalidInput("the schema's defaults never end")
        if not isinstance(arguments, dict):
            raise InvalidInput(f"arguments are an object, not {_shown(arguments)}")
        return arguments

    def _fill(self, schema: JsonValue, value: JsonValue) -> JsonValue:
        """Add one level of defaults; what they add is filled by the next round."""
        for rule in self._rules(schema):
            if isinstance(value, dict):
                value = self._fill_object(rule, value)
            elif isinstance(value, list) and "items" in rule:
                value = [self._fill(rule["items"], item) for item in value]
        return value

    def _fill_object(self, rule: JsonObject, value: JsonObject) -> JsonObject:
        filled = dict(value)
        properties = rule.get("properties")
        known = properties if isinstance(properties, dict) else {}
        for name in value:
            filled[name] = self._fill(known.get(name, rule.get("additionalProperties")), value[name])
        for name, schema in known.items():
            if name not in value and isinstance(schema, dict) and "default" in schema:
                filled[name] = _canonical(schema["default"], depth=0)
        return filled

    def _rules(self, schema: JsonValue, depth: int = 0) -> Iterator[JsonObject]:
        """The schema, and those that hold for the same value."""
        if not isinstance(schema, dict) or depth > MAX_DEPTH:
            return
        yield schema
        if isinstance(reference := schema.get("$ref"), str):
            yield from self._rules(self._resolved(reference), depth + 1)
        for part in _parts(schema):
            yield from self._rules(part, depth + 1)

    def _resolved(self, reference: str) -> JsonValue:
        """A place in this schema, by its JSON pointer; None if it is not there, which validation will tell."""
        place: JsonValue = self._schema
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            place = place.get(name) if isinstance(place, dict) else None
        return place


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Schema:
    return Schema(json.loads(text))


def _parts(schema: JsonObject) -> list[JsonValue]:
    every = schema.get("allOf")
    alternatives = schema.get("anyOf")
    parts = list(every) if isinstance(every, list) else []
    if isinstance(alternatives, list):
        meant = [part for part in alternatives if part != {"type": "null"}]
        parts += meant if len(meant) == 1 else []
    return parts


def _canonical(value: JsonValue, depth: int) -> JsonValue:
    """A copy with whole numbers as integers, where a float holds them exactly."""
    if depth > MAX_DEPTH:
        raise InvalidInput(f"arguments are nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInput(f"{value} is not a number that JSON can hold")
        return int(value) if value.is_integer() and abs(value) <= LARGEST_EXACT else value
    if isinstance(value, str) and not value.isascii():
        _refuse_half_characters(value)
    if isinstance(value, list):
        return [_canonical(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {name: _canonical(item, depth + 1) for name, item in value.items()}
    return value


def _refuse_half_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{text[error.start]!r} is half a character") from None


def _told(error: ValidationError) -> str:
    """One problem in words that a model can act on."""
    while meant := [part for part in error.context or () if part.validator_value != "null"]:
        error = best_match(meant) or error
    place = ".".join(str(step) for step in error.absolute_path)
    given: JsonValue = error.instance  # type: ignore[assignment]  # unset only in errors about schemas
    rule: JsonObject = error.schema if isinstance(error.schema, dict) else {}
    if isinstance(given, dict) and error.validator == "required":
        return _counted([name for name in _names(rule.get("required")) if name not in given], place, "missing")
    if isinstance(given, dict) and error.validator == "additionalProperties" and error.validator_value is False:
        extra = sorted(name for name in given if not _is_known(name, rule))
        return f"{_counted(extra, place, 'unknown')}; known: {', '.join(_names(rule.get('properties'))) or 'none'}"
    reason = _line(error.message.removeprefix(repr(given)))
    return f"{place or 'arguments'}: {_shown(given)} {reason}"


def _names(rule: JsonValue) -> list[str]:
    return [str(name) for name in rule] if isinstance(rule, list | dict) else []


def _is_known(name: str, rule: JsonObject) -> bool:
    patterns = _names(rule.get("patternProperties"))
    return name in _names(rule.get("properties")) or any(re.search(pattern, name) for pattern in patterns)


def _counted(names: list[str], place: str, what: str) -> str:
    listed = ", ".join(repr(f"{place}.{name}" if place else name)[:80] for name in names[:MAX_PROBLEMS])
    return f"{listed} {'is' if len(names) == 1 else 'are'} {what}"


def _shown(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_REASON]
