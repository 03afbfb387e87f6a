"""The JSON schema of a tool's arguments, in the plain form that every provider reads."""

from pydantic import BaseModel, JsonValue

from surefoot.contracts.base import JsonObject

SCHEMAS_BY_NAME = ("properties", "patternProperties")
DATA = ("default", "enum", "const", "examples", "required")


def parameters_of(arguments: type[BaseModel]) -> JsonObject:
    """The schema of the model: references put in place, titles and the model's own description left out.

    Raises ``TypeError`` for a model that contains itself, which has no such form.
    """
    schema = arguments.model_json_schema()
    definitions = schema.pop("$defs", {})
    schema.pop("description", None)
    plain = _plain(schema, definitions, ())
    if not isinstance(plain, dict):
        raise TypeError(f"{arguments.__name__!r} is not an object")
    return {"type": "object", "properties": {}, **plain}


def _plain(schema: JsonValue, definitions: JsonObject, within: tuple[str, ...]) -> JsonValue:
    if isinstance(schema, list):
        return [_plain(part, definitions, within) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(reference := schema.get("$ref"), str):
        return _in_place(reference, schema, definitions, within)
    return {name: _keyword(name, rule, definitions, within) for name, rule in schema.items() if name != "title"}


def _keyword(name: str, rule: JsonValue, definitions: JsonObject, within: tuple[str, ...]) -> JsonValue:
    if name in DATA:
        return rule
    if name in SCHEMAS_BY_NAME and isinstance(rule, dict):
        return {field: _plain(part, definitions, within) for field, part in rule.items()}
    return _plain(rule, definitions, within)


def _in_place(reference: str, schema: JsonObject, definitions: JsonObject, within: tuple[str, ...]) -> JsonValue:
    name = reference.rpartition("/")[2]
    if name in within:
        raise TypeError(f"{name!r} contains itself; a tool's arguments must not")
    target = _plain(definitions[name], definitions, (*within, name))
    beside = {key: rule for key, rule in schema.items() if key not in ("$ref", "title")}
    return {**target, **beside} if isinstance(target, dict) else target
