"""Taking one message at a sink: under the fault that it meets, and only if it is well formed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp

from surefoot.contracts.base import JsonObject
from surefoot.simulator.answers import Answer
from surefoot.simulator.delivery import deliver
from surefoot.simulator.faults import Fault
from surefoot.simulator.worlds import World

_ADDRESS = TypeAdapter(AnyHttpUrl)


class Refused(Exception):
    """The message is not taken, with the status and what is wrong."""

    def __init__(self, status: int, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.status = status
        self.problems = problems


class Strict(BaseModel):
    """Part of a message: exactly these fields, exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Letter:
    """What came: the request, the bytes, and the JSON object that they are."""

    world: World
    request: Request
    raw: bytes
    body: JsonObject

    def keep(self, target: str) -> None:
        self.world.sink(target, headers=dict(self.request.headers), body=self.body)


Take: TypeAlias = Callable[[Letter], Answer]
Complain: TypeAlias = Callable[[int, tuple[str, ...]], Answer]
M = TypeVar("M", bound="Strict")
Name: TypeAlias = Callable[[Request, JsonObject], str]


async def taken(request: Request, target: str, name: Name, take: Take, complain: Complain) -> ASGIApp:
    """Take a message, or complain as the real one would. ``name`` tells the operation that faults can aim at."""
    world: World = request.app.state.worlds[request.path_params["world"]]
    raw = await request.body()
    body = _object(raw)
    operation = name(request, body or {})
    call = world.records.call(target, operation, method=request.method, key=None)

    def act() -> Answer:
        try:
            if body is None:
                raise Refused(400, "the body is not a JSON object")
            if "json" not in request.headers.get("content-type", ""):
                raise Refused(400, "the content type is not JSON")
            _printable(body)
            return take(Letter(world, request, raw, body))
        except Refused as refused:
            return complain(refused.status, refused.problems)

    def refuse(fault: Fault) -> Answer:
        return complain(fault.status, (f"told to answer {fault.status}",))

    return await deliver(request, world.faults.strike(target, operation), call, act, refuse)


def parsed(model: type[M], body: JsonObject, status: int = 400) -> M:
    """The message in its form, or ``Refused`` with every field that is wrong."""
    try:
        return model.model_validate_json(json.dumps(body))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise Refused(status, *problems) from None


def _object(raw: bytes) -> JsonObject | None:
    try:
        body: JsonValue = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _printable(value: JsonValue) -> None:
    """Refuse control characters but for line ends: no pager shows them, and some break on NUL."""
    match value:
        case str() if any(ord(c) < 32 and c != "\n" for c in value):
            raise Refused(400, f"control characters in {value[:80]!r}")
        case list():
            for item in value:
                _printable(item)
        case dict():
            for key, item in value.items():
                _printable(key)
                _printable(item)


def at_most(limit: int) -> AfterValidator:
    """Characters of a text, as Java and JavaScript count them."""

    def check(text: str) -> str:
        if len(text.encode("utf-16-le")) // 2 > limit:
            raise ValueError(f"has more than {limit} characters")
        return text

    return AfterValidator(check)


def _is_address(text: str) -> str:
    _ADDRESS.validate_python(text)
    return text


Address = Annotated[str, AfterValidator(_is_address)]
"""Of the web."""
