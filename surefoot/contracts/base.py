"""What every message that enters a workflow's history has in common."""

from datetime import timedelta
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

JsonObject: TypeAlias = dict[str, JsonValue]
Nanos = Annotated[int, Field(ge=0, le=2**53)]
"""Money: US nano-dollars. At most 2**53, the largest integer that Lua keeps exact."""


class Message(BaseModel):
    """A frozen value. Unknown fields are ignored, so that an older worker can read a newer message."""

    model_config = ConfigDict(frozen=True)


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
