"""What model calls cost and what models can read, by genai-prices and our own table."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from functools import cache

from genai_prices import Usage, calc_price
from genai_prices.types import ModelPrice, TieredPrices

from surefoot.contracts.budgets import NANOS_PER_DOLLAR
from surefoot.contracts.models import name_of, provider_of
from surefoot.errors import UnknownModel
from surefoot.llm.price_table import PriceTable, Rate, shipped_prices

_PROVIDERS = {"gemini": "google", "mistral": "mistral"}
_MILLION = 1_000_000


def _now() -> datetime:
    return datetime.now(UTC)


class GenaiPricing:
    """``Pricing`` on the prices of genai-prices, those of ``overrides`` first; amounts are rounded up."""

    def __init__(self, overrides: PriceTable | None = None, *, clock: Callable[[], datetime] = _now) -> None:
        self._table = shipped_prices() if overrides is None else overrides
        self._clock = clock

    def cost(
        self, model: str, *, input_tokens: int, cached_tokens: int, output_tokens: int, served_as: str | None = None
    ) -> int:
        """The price of a call that the version ``served_as`` answered, in nano-dollars.

        A version that nobody has a price for costs as much as the dearest that the model may be served as, because
        the call has been made. Raises ``UnknownModel`` for a model without a price.
        """
        tokens = input_tokens, min(cached_tokens, input_tokens), output_tokens
        now = self._clock()
        try:
            price = self._price(f"{provider_of(model)}:{served_as}" if served_as else model, *tokens, now)
        except UnknownModel:
            price = max(self._price(version, *tokens, now) for version in self._table.candidates(model, now.date()))
        return _nanos(price)

    def bound(self, model: str, *, input_tokens: int, output_tokens: int) -> int:
        """The most that a call with up to this many tokens can cost, in nano-dollars: no input cached, in the dearest
        tier within reach, at the dearest version that the model may be served as.

        Raises ``UnknownModel`` for a model without a price.
        """
        now = self._clock()
        return max(
            _nanos(self._highest(version, input_tokens, output_tokens, now))
            for version in self._table.candidates(model, now.date())
        )

    def context(self, model: str) -> int | None:
        """The most tokens of one prompt: the smallest context that is known of the versions it may be served as."""
        found = (
            self._table.contexts.get(version) or _known_context(version)
            for version in self._table.candidates(model, self._clock().date())
        )
        return min(filter(None, found), default=None)

    def _highest(self, model: str, input_tokens: int, output_tokens: int, now: datetime) -> Decimal:
        """Within a tier the price rises with the tokens, so its highest is at the end of a tier that is in reach."""
        if rate := self._table.rate(model):
            return _at(rate, input_tokens, 0, output_tokens)
        ends = [end for end in _tier_ends(_looked_up(model, Usage(input_tokens=1), now)[1]) if end < input_tokens]
        return max(
            self._price(model, tokens, cached, output_tokens, now)
            for tokens in (input_tokens, *ends)
            for cached in (0, tokens)
        )

    def _price(self, model: str, input_tokens: int, cached_tokens: int, output_tokens: int, now: datetime) -> Decimal:
        if rate := self._table.rate(model):
            return _at(rate, input_tokens, cached_tokens, output_tokens)
        usage = Usage(input_tokens=input_tokens, cache_read_tokens=cached_tokens, output_tokens=output_tokens)
        return _looked_up(model, usage, now)[0]


@cache
def _known_context(model: str) -> int | None:
    provider = _PROVIDERS.get(provider_of(model))
    if provider is None:
        return None
    try:
        return calc_price(Usage(), name_of(model), provider_id=provider).model.context_window
    except LookupError:
        return None


def _looked_up(model: str, usage: Usage, now: datetime) -> tuple[Decimal, ModelPrice]:
    provider = _PROVIDERS.get(provider_of(model))
    try:
        if provider is None:
            raise LookupError
        price = calc_price(usage, name_of(model), provider_id=provider, genai_request_timestamp=now)
    except LookupError:
        raise UnknownModel(f"no price is known for the model {model!r}, so it is not called") from None
    return price.total_price, price.model_price


def _tier_ends(price: ModelPrice) -> Iterable[int]:
    """Numbers of input tokens up to which a tier holds."""
    for value in vars(price).values():
        if isinstance(value, TieredPrices):
            yield from (tier.start for tier in value.tiers)


def _at(rate: Rate, input_tokens: int, cached_tokens: int, output_tokens: int) -> Decimal:
    uncached = input_tokens - cached_tokens
    return (uncached * rate.input + cached_tokens * rate.cached + output_tokens * rate.output) / _MILLION


def _nanos(dollars: Decimal) -> int:
    return int((dollars * NANOS_PER_DOLLAR).to_integral_value(ROUND_CEILING))
