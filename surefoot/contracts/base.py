"""What every message that enters a workflow's history has in common."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic_core import to_jsonable_python

JsonObject: TypeAlias = dict[str, JsonValue]
Nanos = Annotated[int, Field(ge=0, le=2**53)]
"""Money: US nano-dollars. At most 2**53, the largest integer that Lua keeps exact."""


class Message(BaseModel):
    """A frozen value. Unknown fields are ignored, so that an older worker can read a newer message."""

    model_config = ConfigDict(frozen=True)


_NOTHINGS: tuple[JsonValue, ...] = (None, False, 0, "", [], {})
_SAID = object()
EVERY_FIELD = frozenset({"*"})


class Terse(Message):
    """A message of which JSON leaves out what is nothing, since a history holds many of its kind.

    A field is nothing while it is at its default and that is None, False, 0 or empty: what is left out means the same
    to every version, whatever other defaults there are. A default that is ``fixed`` is left out as well.
    """

    fixed: ClassVar[frozenset[str]] = frozenset()
    """Fields whose default no version may change, and which is therefore nothing too."""
    unsaid: ClassVar[JsonObject] = {}
    """The values that are left out, as JSON has them."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:  # noqa: ANN401 - whatever pydantic is given
        defaults, every = _defaults(cls).items(), cls.fixed is EVERY_FIELD
        cls.unsaid = {name: value for name, value in defaults if every or name in cls.fixed or value in _NOTHINGS}

    @model_serializer(mode="wrap", when_used="json")
    def _said(self, serialised: SerializerFunctionWrapHandler) -> JsonObject:
        whole: JsonObject = serialised(self)
        return {name: value for name, value in whole.items() if value != self.unsaid.get(name, _SAID)}


def _defaults(message: type[Message]) -> JsonObject:
    """As JSON has them."""
    fields = message.model_fields.items()
    given = {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}
    found: JsonObject = to_jsonable_python(given)
    return found


_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: object) -> object:
    """Turn ``"10s"``, ``"1.5m"``, ``"24h"``, ``"30d"`` or ``"250ms"`` into a timedelta; leave anything else alone."""
    if not isinstance(text, str):
        return text
    for suffix, unit in _UNITS.items():
        number = text.removesuffix(suffix)
        if number != text and number.replace(".", "", 1).isdigit():
            try:
                return timedelta(**{unit: float(number)})
            except OverflowError:
                raise ValueError(f"{text!r} is too long") from None
    return text


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(0))]
"""A positive time span; in TOML written as ``"10s"`` or ``"24h"``."""
