"""Our own prices and context sizes beside those of genai-prices, as the shipped ``prices.toml`` has them."""

import tomllib
from datetime import date
from decimal import Decimal
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from surefoot.contracts.models import ModelId


class Rate(BaseModel):
    """Dollars per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Decimal = Field(ge=0)
    cached: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)


class ServedAs(BaseModel):
    """A model that may be answered by other versions, from a day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelId
    versions: tuple[ModelId, ...]
    since: date = Field(default=date.min, alias="from")


class PriceTable(BaseModel):
    """Prices by model, or by the beginning of its name and ``*``; context sizes; which models stand for which."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prices: dict[str, Rate] = {}
    contexts: dict[ModelId, int] = {}
    """Tokens that a model takes in one prompt."""
    served_as: tuple[ServedAs, ...] = ()

    def rate(self, model: str) -> Rate | None:
        """The price of the model by its own name, else by the longest beginning that fits; None if there is none."""
        beginnings = [name for name in self.prices if name.endswith("*") and model.startswith(name[:-1])]
        return self.prices.get(model) or (self.prices[max(beginnings, key=len)] if beginnings else None)

    def candidates(self, model: str, on: date) -> tuple[str, ...]:
        """The model and every version that it may be served as on that day."""
        return model, *(
            version
            for entry in self.served_as
            if entry.model == model and entry.since <= on
            for version in entry.versions
        )


def shipped_prices() -> PriceTable:
    """The table that Surefoot comes with."""
    text = files("surefoot.llm").joinpath("prices.toml").read_text(encoding="utf-8")
    return PriceTable.model_validate(tomllib.loads(text, parse_float=Decimal))
