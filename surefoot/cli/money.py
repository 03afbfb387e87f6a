"""Dollars as they are typed: exact, or refused."""

import re
from decimal import Decimal

from surefoot.contracts.budgets import NANOS_PER_DOLLAR, dollars
from surefoot.errors import InvalidAmount
from surefoot.reliability.amounts import LARGEST

PLACES = 9
_DECIMAL = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)
_SHOWN = 40
"""Characters of what was typed that an error repeats."""


def nanos(text: str) -> int:
    """Nano-dollars of a decimal number of dollars, such as ``0.75``; raises ``InvalidAmount``."""
    typed = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
    if text.startswith("-") and _DECIMAL.fullmatch(text[1:]):
        raise InvalidAmount(f"{typed} is negative; an amount of dollars is 0 or more")
    if not _DECIMAL.fullmatch(text):
        raise InvalidAmount(f"{typed} is not an amount of dollars; write a decimal number, such as 0.75")
    if len(text.partition(".")[2]) > PLACES:
        raise InvalidAmount(f"{typed} has more than {PLACES} places after the point")
    if Decimal(text) > Decimal(LARGEST) / NANOS_PER_DOLLAR:
        raise InvalidAmount(f"{typed} is too large; ${dollars(LARGEST)} is the most")
    return int(Decimal(text) * NANOS_PER_DOLLAR)
