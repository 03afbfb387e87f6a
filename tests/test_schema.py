"""Arguments are checked by their schema and brought into one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from surefoot.contracts.base import JsonObject
from surefoot.errors import InvalidInput
from surefoot.idempotency import canonical
from surefoot.schema import compiled, normalised

PARCEL: JsonObject = {
    "type": "object",
    "properties": {
        "product": {"type": "string", "minLength": 1},
        "quantity": {"type": "integer", "minimum": 1, "default": 1},
        "weight": {"type": "number"},
        "address": {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"street": {"type": "string"}, "country": {"type": "string", "default": "FR"}},
                    "required": ["street"],
                },
                {"type": "null"},
            ],
            "default": None,
        },
        "labels": {"type": "array", "items": {"$ref": "#/$defs/Label"}, "maxItems": 3},
        "notes": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Label"}},
        "wrapping": {"allOf": [{"$ref": "#/$defs/Label"}], "default": {}},
    },
    "required": ["product"],
    "additionalProperties": False,
    "$defs": {
        "Label": {"type": "object", "properties": {"colour": {"default": "red"}, "size": {"type": "integer"}}},
    },
}


def refusal(arguments: JsonObject, schema: JsonObject = PARCEL) -> str:
    with pytest.raises(InvalidInput) as caught:
        normalised(schema, arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_are_filled_in_at_every_depth() -> None:
    arguments: JsonObject = {
        "product": "mug",
        "address": {"street": "Rue X"},
        "labels": [{}],
        "notes": {"door": {"size": 2}},
    }

    assert normalised(PARCEL, arguments) == {
        "product": "mug",
        "quantity": 1,
        "address": {"street": "Rue X", "country": "FR"},
        "labels": [{"colour": "red"}],
        "notes": {"door": {"size": 2, "colour": "red"}},
        "wrapping": {"colour": "red"},
    }
    assert arguments["address"] == {"street": "Rue X"}, "what was given stays as it is"


def test_whole_numbers_have_one_form() -> None:
    whole = normalised(PARCEL, {"product": "mug", "quantity": 5.0, "weight": 2.0})
    assert canonical(whole) == canonical(normalised(PARCEL, {"weight": 2, "quantity": 5, "product": "mug"}))
    assert type(whole["quantity"]) is int
    assert normalised(PARCEL, {"product": "mug", "weight": 1e300})["weight"] == 1e300


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "'product' is missing"),
        ({"product": "mug", "colour": "red", "size": 1}, "'colour', 'size' are unknown; known: product, quantity, "),
        ({"product": ""}, 'product: "" should be non-empty'),
        ({"product": "mug", "quantity": "five"}, "quantity: \"five\" is not of type 'integer'"),
        ({"product": "mug", "quantity": True}, "quantity: true is not of type 'integer'"),
        ({"product": "mug", "quantity": 0}, "quantity: 0 is less than the minimum of 1"),
        ({"product": "mug", "quantity": 2.5}, "quantity: 2.5 is not of type 'integer'"),
        ({"product": "mug", "weight": float("nan")}, "nan is not a number that JSON can hold"),
        ({"product": "mug \ud83d"}, "'\\ud83d' is half a character"),
        ({"product": "mug", "address": {}}, "'address.street' is missing"),
        ({"product": "mug", "labels": [{}, {"size": "big"}]}, "labels.1.size: \"big\" is not of type 'integer'"),
        ({"product": 1, "quantity": 0}, "product: 1 is not of type 'string'; quantity: 0 is less"),
    ],
)
def test_what_is_missing_extra_or_wrong_is_told_in_one_line(arguments: JsonObject, told: str) -> None:
    assert refusal(arguments).startswith(told)


def test_a_refusal_stays_short_whatever_was_given() -> None:
    huge: JsonObject = {f"extra\n{number}": "x" * 10_000 for number in range(1000)}
    assert len(refusal({**huge, "product": ["y" * 10_000], "labels": ["z" * 10_000] * 50})) < 3000


def test_bottomless_arguments_are_refused() -> None:
    bottomless: JsonValue = []
    for _ in range(500):
        bottomless = [bottomless]
    assert "nested deeper" in refusal({"product": "mug", "notes": {"x": bottomless}})


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "strin"}, "the schema is wrong at $.type"),
        ({"$ref": "http://127.0.0.1:9/schema"}, "refers to 'http://127.0.0.1:9/schema', which is not in it"),
        ({"$ref": "#/$defs/nowhere"}, "which is not in it"),
        ({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "refers to itself without end"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"a": {"$ref": "#/$defs/a", "default": {}}}}}},
            "defaults never end",
        ),
    ],
)
def test_a_schema_that_cannot_be_used_is_an_error_and_fetches_nothing(schema: JsonObject, told: str) -> None:
    assert told in refusal({}, schema)


def test_alternatives_are_left_as_they_came() -> None:
    schema: JsonObject = {
        "properties": {
            "by": {
                "anyOf": [
                    {"type": "object", "properties": {"fast": {"default": True}}},
                    {"type": "object", "properties": {"slow": {"default": True}}},
                ]
            }
        }
    }
    assert normalised(schema, {"by": {}}) == {"by": {}}


def test_a_pattern_for_names_makes_them_known() -> None:
    schema: JsonObject = {"patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False}
    assert normalised(schema, {"x-a": 1}) == {"x-a": 1}
    assert refusal({"x-a": 1, "y": 2}, schema) == "'y' is unknown; known: none"


def test_an_equal_schema_is_prepared_once() -> None:
    assert compiled(dict(PARCEL)) is compiled(PARCEL)


SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from("abc")


def _rule(**keywords: JsonValue) -> JsonObject:
    return keywords


def schemas() -> st.SearchStrategy[JsonObject]:
    """Objects in lists in optional objects, with defaults that have defaults themselves."""
    leaf = st.builds(_rule, default=VALUES) | st.builds(_rule)

    def around(inner: st.SearchStrategy[JsonObject]) -> st.SearchStrategy[JsonObject]:
        fields = st.dictionaries(NAMES, inner, max_size=3)
        objects = st.builds(_rule, properties=fields) | st.builds(_rule, properties=fields, default=st.just({}))
        return (
            objects
            | st.builds(_rule, items=inner, default=st.just([{}]))
            | st.builds(_rule, allOf=st.lists(objects, min_size=2, max_size=2))
            | st.builds(_rule, anyOf=st.tuples(objects, st.just({"type": "null"})).map(list))
            | st.builds(_rule, additionalProperties=inner)
        )

    return st.recursive(leaf, around, max_leaves=10)


@given(schema=schemas(), arguments=st.just({}) | st.dictionaries(NAMES, VALUES, max_size=3))
def test_normalising_twice_changes_nothing(schema: JsonObject, arguments: JsonObject) -> None:
    try:
        once = normalised(schema, arguments)
    except InvalidInput:
        return
    assert canonical(normalised(schema, once)) == canonical(once)
    assert once.keys() >= arguments.keys()
