"""What a tool's author writes, and what a worker can rely on."""

import asyncio
from datetime import timedelta
from typing import Annotated, Literal

import pytest
from pydantic import Field, JsonValue, field_validator

from surefoot.contracts.breakers import BreakerPolicy, Verdict
from surefoot.contracts.tools import Effect
from surefoot.errors import Fault, InvalidInput, ToolFailure
from surefoot.ports import ToolContext
from surefoot.schema import normalised
from surefoot.tools.contract import Arguments, tool

CONTEXT = ToolContext(key="key-1", deadline=timedelta(seconds=5), tenant="default")


class Box(Arguments):
    """How it is wrapped."""

    size: Literal["small", "large"] = "small"


class Ship(Arguments):
    """Not for the model."""

    title: Annotated[str, Field(description="What to ship.", min_length=1)]
    box: Box = Box()
    express: bool | None = None

    @field_validator("title")
    @classmethod
    def _is_not_shouted(cls, title: str) -> str:
        if title.isupper():
            raise ValueError("must not be shouted")
        return title


async def find(context: ToolContext, shelf: dict[str, JsonValue]) -> JsonValue:
    return shelf.get(context.key or "")


@tool(
    backend="order_url", effect=Effect.VERIFIABLE, identity=("title",), look_up=find, breaker=BreakerPolicy(failures=2)
)
async def ship(arguments: Ship, context: ToolContext, shelf: dict[str, JsonValue]) -> JsonValue:
    """Ship a thing.

    Once.
    """
    shelf[context.key or ""] = arguments.title
    return {"shipped": arguments.title, "box": arguments.box.size}


async def test_a_tool_does_what_its_function_does() -> None:
    shelf: dict[str, JsonValue] = {}
    ready = ship.connect(shelf)

    assert await ready.look_up(CONTEXT) is None
    assert await ready.execute(ready.validate({"title": "mug"}), CONTEXT) == {"shipped": "mug", "box": "small"}
    assert await ready.look_up(CONTEXT) == "mug"


def test_a_contract_is_what_the_model_needs_and_nothing_of_pydantic() -> None:
    contract = ship.connect({}).contract()

    assert contract.name == "ship"
    assert contract.description == "Ship a thing. Once."
    assert contract.identity == ("title",)
    assert contract.breaker.failures == 2
    assert contract.parameters == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "What to ship.", "minLength": 1},
            "box": {
                "type": "object",
                "description": "How it is wrapped.",
                "properties": {"size": {"type": "string", "enum": ["small", "large"], "default": "small"}},
                "additionalProperties": False,
                "default": {"size": "small"},
            },
            "express": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": None},
        },
        "required": ["title"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "'title' is missing"),
        ({"title": "mug", "colour": "red"}, "'colour' is unknown; known: title, box, express"),
        ({"title": 7}, "title: 7 is not of type 'string'"),
        ({"title": "mug", "box": {"size": "huge"}}, "box.size: \"huge\" is not one of ['small', 'large']"),
        ({"title": "MUG"}, "title: must not be shouted"),
    ],
)
def test_bad_arguments_are_told_in_one_line_with_field_and_reason(arguments: dict[str, JsonValue], told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ship.connect({}).validate(arguments)
    assert str(caught.value) == told


def test_what_the_workflow_normalised_the_tool_takes() -> None:
    ready = ship.connect({})
    arguments = normalised(ready.contract().parameters, {"title": "mug"})

    assert arguments == {"title": "mug", "box": {"size": "small"}, "express": None}
    assert ready.validate(arguments) == Ship(title="mug")


async def test_a_handler_that_ignores_its_deadline_is_stopped_in_doubt() -> None:
    @tool(backend="mail_url", effect=Effect.UNSAFE)
    async def dawdle(arguments: Box, context: ToolContext, backend: None) -> JsonValue:
        """Take too long."""
        await asyncio.sleep(5)
        return None

    ready = dawdle.connect(None)
    with pytest.raises(ToolFailure, match=r"dawdle took longer than 0\.01 s") as caught:
        await ready.execute(Box(), ToolContext(key="k", deadline=timedelta(milliseconds=10), tenant="default"))
    assert (caught.value.reached, caught.value.maybe_done) == (True, True)


@pytest.mark.parametrize(
    ("fault", "expected"), [(Fault.MODELS_OWN, Fault.PERMANENT), (Fault.RETRYABLE, Fault.RETRYABLE)]
)
async def test_a_look_up_that_fails_leaves_the_doubt_and_blames_no_model(fault: Fault, expected: Fault) -> None:
    async def fail(context: ToolContext, backend: None) -> JsonValue:
        raise ToolFailure("no", fault=fault, verdict=Verdict.NEUTRAL, reached=True, maybe_done=False, status=418)

    @tool(backend="order_url", effect=Effect.VERIFIABLE, look_up=fail)
    async def act(arguments: Box, context: ToolContext, backend: None) -> JsonValue:
        """Act."""
        return None

    with pytest.raises(ToolFailure) as caught:
        await act.connect(None).look_up(CONTEXT)
    assert (caught.value.fault, caught.value.maybe_done, caught.value.status) == (expected, True, 418)


async def test_a_look_up_ends_with_its_deadline() -> None:
    async def wait(context: ToolContext, backend: None) -> JsonValue:
        await asyncio.sleep(5)
        return None

    @tool(backend="order_url", effect=Effect.VERIFIABLE, look_up=wait)
    async def act(arguments: Box, context: ToolContext, backend: None) -> JsonValue:
        """Act."""
        return None

    with pytest.raises(ToolFailure, match="did not answer in time") as caught:
        await act.connect(None).look_up(ToolContext(key="k", deadline=timedelta(milliseconds=10), tenant="default"))
    assert (caught.value.fault, caught.value.maybe_done) == (Fault.RETRYABLE, True)


async def test_only_a_verifiable_tool_can_be_asked_and_only_with_its_own_arguments() -> None:
    @tool(backend="order_url", effect=Effect.KEYED)
    async def act(arguments: Box, context: ToolContext, backend: None) -> JsonValue:
        """Act."""
        return None

    with pytest.raises(TypeError, match="'act' is keyed"):
        await act.connect(None).look_up(CONTEXT)
    with pytest.raises(TypeError, match="takes Box, not Ship"):
        await act.connect(None).execute(Ship(title="mug"), CONTEXT)


class Tree(Arguments):
    branches: tuple["Tree", ...] = ()


async def undescribed(arguments: Box, context: ToolContext, backend: None) -> JsonValue:
    return None


async def described(arguments: Box, context: ToolContext, backend: None) -> JsonValue:
    """Do."""
    return None


async def endless(arguments: Tree, context: ToolContext, backend: None) -> JsonValue:
    """Do."""
    return None


def test_an_author_is_told_of_a_contradiction_at_import() -> None:
    async def nothing(context: ToolContext, backend: None) -> JsonValue:
        return None

    with pytest.raises(ValueError, match=r"no arguments \['colour'\]"):
        tool(backend="order_url", effect=Effect.KEYED, identity=("size", "colour"))(described)
    with pytest.raises(ValueError, match="a look-up belongs to verifiable tools"):
        tool(backend="order_url", effect=Effect.KEYED, look_up=nothing)(described)
    with pytest.raises(ValueError, match="each needs one"):
        tool(backend="order_url", effect=Effect.VERIFIABLE)(described)
    with pytest.raises(ValueError, match="unsafe, so it has one attempt, not 3"):
        tool(backend="mail_url", effect=Effect.UNSAFE, attempts=3)(described)
    with pytest.raises(ValueError, match="'undescribed' has no docstring"):
        tool(backend="order_url", effect=Effect.READ)(undescribed)
    with pytest.raises(TypeError, match="'Tree' contains itself"):
        tool(backend="order_url", effect=Effect.READ)(endless)
