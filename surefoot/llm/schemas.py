"""Argument schemas as Gemini takes them."""

from collections.abc import Mapping

from pydantic import JsonValue

from surefoot.contracts.base import JsonObject

_UNKNOWN = frozenset({"$schema", "discriminator", "examples", "exclusiveMinimum", "exclusiveMaximum", "const"})
_NAMED = frozenset({"properties", "$defs"})
_NESTED = frozenset({"items", "additionalProperties"})
_LISTED = frozenset({"anyOf", "oneOf", "prefixItems"})


def for_gemini(schema: Mapping[str, JsonValue]) -> JsonObject:
    """Rewrite the keywords that Gemini does not know into those that it does, or leave them out.

    Source: the JSON Schema subset in Gemini's structured output documentation. What is left out is still checked
    when the tool is called.
    """
    known: JsonObject = {key: _nested(key, value) for key, value in schema.items() if key not in _UNKNOWN}
    if "const" in schema:
        known["enum"] = [schema["const"]]
    for exclusive, inclusive, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        bound = schema.get(exclusive)
        if isinstance(bound, int | float):
            known[inclusive] = bound + step if schema.get("type") == "integer" else bound
    return known


def _nested(key: str, value: JsonValue) -> JsonValue:
    if key in _NAMED and isinstance(value, dict):
        return {name: _schema(inner) for name, inner in value.items()}
    if key in _LISTED and isinstance(value, list):
        return [_schema(inner) for inner in value]
    return _schema(value) if key in _NESTED else value


def _schema(value: JsonValue) -> JsonValue:
    return for_gemini(value) if isinstance(value, dict) else value
