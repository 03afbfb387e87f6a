"""What calls cost, against figures worked out by hand from the providers' price lists.

Dollars per million tokens, input, cached input and output (ai.google.dev/gemini-api/docs/pricing and
docs.mistral.ai/inference/pricing, November 2026): gemini-2.5-pro 1.25, 0.125, 10 up to 200,000 input tokens and 2.50,
0.25, 15 above; gemini-2.5-flash 0.30, 0.03, 2.50; gemini-3.8-flash 0.75, 0.075, 3.75 to the end of 2026, then 1.50 and
7.50; Mistral Medium 3.1 (mistral-medium-2508) 0.40, 0.04, 2; Medium 3.5 1.50, 0.15, 7.50; Small 4 0.15, 0.015, 0.60;
Large 4 0.70, 0.07, 2.10. A dollar per million tokens is 1,000 nano-dollars a token.
"""

import tomllib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import UnknownModel
from surefoot.llm.price_table import PriceTable, Rate, shipped_prices
from surefoot.llm.pricing import GenaiPricing
from surefoot.profiles import SHIPPED

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
PRO, FLASH, MEDIUM = "gemini:gemini-2.5-pro", "gemini:gemini-2.5-flash", "mistral:mistral-medium-latest"


def pricing(at: datetime = NOVEMBER, table: PriceTable | None = None) -> GenaiPricing:
    return GenaiPricing(table, clock=lambda: at)


@pytest.mark.parametrize(
    ("model", "input", "cached", "output", "cost"),
    [
        (PRO, 1000, 0, 100, 1000 * 1250 + 100 * 10_000),
        (PRO, 1000, 400, 100, 600 * 1250 + 400 * 125 + 100 * 10_000),
        (PRO, 200_000, 0, 100, 200_000 * 1250 + 100 * 10_000),
        (PRO, 200_001, 0, 100, 200_001 * 2500 + 100 * 15_000),
        (PRO, 300_000, 100_000, 0, 200_000 * 2500 + 100_000 * 250),
        (FLASH, 1000, 400, 100, 600 * 300 + 400 * 30 + 100 * 2500),
        (MEDIUM, 1000, 400, 100, 600 * 1500 + 400 * 150 + 100 * 7500),
        ("mistral:mistral-medium-2508", 1000, 400, 100, 600 * 400 + 400 * 40 + 100 * 2000),
        ("mistral:mistral-small-latest", 1000, 400, 100, 600 * 150 + 400 * 15 + 100 * 600),
        ("mistral:mistral-large-latest", 1000, 400, 100, 600 * 700 + 400 * 70 + 100 * 2100),
        ("scripted:anything", 1000, 400, 100, 600 * 300 + 400 * 30 + 100 * 2500),
        ("scripted:pro", 1000, 400, 100, 600 * 1250 + 400 * 125 + 100 * 10_000),
        (PRO, 0, 0, 0, 0),
    ],
)
def test_a_call_costs_what_the_price_list_says(model: str, input: int, cached: int, output: int, cost: int) -> None:
    assert pricing().cost(model, input_tokens=input, cached_tokens=cached, output_tokens=output) == cost


def test_the_version_that_answered_decides_the_price() -> None:
    prices = pricing()
    tokens = {"input_tokens": 1000, "cached_tokens": 0, "output_tokens": 100}
    assert prices.cost(MEDIUM, **tokens, served_as="mistral-medium-2508") == 1000 * 400 + 100 * 2000
    assert prices.cost(PRO, **tokens, served_as="gemini-3.8-flash") == 1000 * 750 + 100 * 3750


def test_a_version_without_a_price_costs_as_much_as_the_dearest_candidate() -> None:
    tokens = {"input_tokens": 1000, "cached_tokens": 0, "output_tokens": 100}
    cost = pricing().cost("mistral:mistral-medium-latest", **tokens, served_as="mistral-medium-9912")
    assert cost == 1000 * 1500 + 100 * 7500


@pytest.mark.parametrize("model", ["gemini:gemini-3.6-flahs", "mistral:mistral-enormous", "gemini:mistral-medium-2508"])
def test_a_model_without_a_price_is_not_called(model: str) -> None:
    with pytest.raises(UnknownModel, match=model):
        pricing().bound(model, input_tokens=1, output_tokens=1)
    with pytest.raises(UnknownModel, match=model):
        pricing().cost(model, input_tokens=1, cached_tokens=0, output_tokens=1)


def test_without_a_table_of_ours_in_process_models_have_no_price() -> None:
    with pytest.raises(UnknownModel):
        pricing(table=PriceTable()).bound("scripted:pro", input_tokens=1, output_tokens=1)


def test_part_of_a_nano_dollar_counts_as_a_whole_one() -> None:
    rate = Rate(input=Decimal("0.0001"), cached=Decimal("0.00001"), output=Decimal("0.0003"))  # 0.1, 0.01, 0.3 nano
    prices = pricing(table=PriceTable(prices={"scripted:*": rate}))
    assert prices.cost("scripted:a", input_tokens=1, cached_tokens=0, output_tokens=0) == 1
    assert prices.cost("scripted:a", input_tokens=10, cached_tokens=0, output_tokens=0) == 1
    assert prices.cost("scripted:a", input_tokens=10, cached_tokens=0, output_tokens=1) == 2
    assert prices.bound("scripted:a", input_tokens=10, output_tokens=4) == 3


@pytest.mark.parametrize(
    ("model", "input", "output", "bound"),
    [
        (PRO, 1000, 1024, 1000 * 1250 + 1024 * 10_000),
        (PRO, 200_000, 1024, 200_000 * 1250 + 1024 * 10_000),
        (PRO, 200_001, 1024, 200_001 * 2500 + 1024 * 15_000),
        (FLASH, 1000, 1024, 1000 * 300 + 1024 * 2500),
        (MEDIUM, 1000, 1024, 1000 * 1500 + 1024 * 7500),
        ("mistral:mistral-large-latest", 1000, 1024, 1000 * 700 + 1024 * 2100),
    ],
)
def test_the_bound_takes_the_highest_tier_within_reach(model: str, input: int, output: int, bound: int) -> None:
    assert pricing().bound(model, input_tokens=input, output_tokens=output) == bound


def test_an_alias_is_bounded_by_the_dearest_version_that_may_answer_from_the_day_that_it_may() -> None:
    # gemini-3.8-flash is dearer than gemini-2.5-flash; only from December on may it answer in its place.
    served = {"model": FLASH, "versions": ["gemini:gemini-3.8-flash"], "from": DECEMBER.date()}
    table = PriceTable.model_validate({"served_as": [served]})
    early, late = pricing(DECEMBER - timedelta(seconds=1), table), pricing(DECEMBER, table)
    assert early.bound(FLASH, input_tokens=1000, output_tokens=1024) == 1000 * 300 + 1024 * 2500
    assert late.bound(FLASH, input_tokens=1000, output_tokens=1024) == 1000 * 750 + 1024 * 3750


def test_a_price_that_changes_on_a_day_changes_what_stands_for_it() -> None:
    # From January on a long answer of gemini-3.8-flash is still cheaper than one of gemini-2.5-pro, its input is not.
    before, after = (pricing(at).bound(PRO, input_tokens=100_000, output_tokens=1) for at in (DECEMBER, JANUARY))
    assert before == 100_000 * 1250 + 10_000
    assert after == 100_000 * 1500 + 7500


def test_every_name_in_the_shipped_table_has_a_price() -> None:
    prices = pricing(DECEMBER)
    for entry in shipped_prices().served_as:
        for model in (entry.model, *entry.versions):
            assert prices.bound(model, input_tokens=1, output_tokens=1) > 0


@given(
    model=st.sampled_from(
        [PRO, FLASH, MEDIUM, "gemini:gemini-3.1-pro-preview", "gemini:gemini-1.5-flash", "scripted:x"]
    ),
    reserved=st.integers(1, 400_000),
    cap=st.integers(1, 65_536),
    data=st.data(),
)
def test_no_call_within_its_limits_costs_more_than_its_bound(
    model: str, reserved: int, cap: int, data: st.DataObject
) -> None:
    input = data.draw(st.integers(0, reserved))
    cached, output = data.draw(st.integers(0, input)), data.draw(st.integers(0, cap))
    prices = pricing(data.draw(st.sampled_from([NOVEMBER, DECEMBER, JANUARY])))
    bound = prices.bound(model, input_tokens=reserved, output_tokens=cap)
    assert prices.cost(model, input_tokens=input, cached_tokens=cached, output_tokens=output) <= bound
    assert bound == prices.bound(model, input_tokens=reserved, output_tokens=cap)


@pytest.mark.parametrize(
    ("model", "at", "tokens"),
    [
        (PRO, NOVEMBER, 1_048_576),
        (PRO, DECEMBER, 1_000_000),  # served as gemini-3.8-flash from then on
        (FLASH, NOVEMBER, 1_048_576),
        ("mistral:mistral-large-2512", NOVEMBER, 262_144),
        (MEDIUM, NOVEMBER, 128_000),  # the smaller one of Medium 3.5 and Medium 3.1
        ("scripted:anything", NOVEMBER, None),
        ("gemini:of-the-future", NOVEMBER, None),
    ],
)
def test_a_model_reads_as_much_as_the_smallest_version_that_may_answer(
    model: str, at: datetime, tokens: int | None
) -> None:
    assert pricing(at).context(model) == tokens


def test_the_context_of_every_model_in_a_shipped_profile_is_known() -> None:
    models = {
        model
        for path in SHIPPED.glob("*.toml")
        for key in ("ladder", "fallback")
        for model in tomllib.loads(path.read_text(encoding="utf-8")).get(key, ())
    }
    assert models
    assert {model for model in models if pricing().context(model) is None} == set()
