"""What every variant is made to do: the same turns, the same tools, the same words.

The standard library alone, so that a worker in an environment without Surefoot can import it.
"""

import hashlib
from dataclasses import dataclass

TOOL = "read_page"
"""Takes ``page`` and ``size`` and returns ``page(page, size)``."""
ANSWER = "All of it was read."
SMALL, LARGE = 200, 5_000
"""Bytes of a page."""


@dataclass(frozen=True)
class Workload:
    """Turns with so many tool calls each, numbered on from 1, and then an answer."""

    name: str
    calls: tuple[int, ...]
    size: int
    """Bytes that each call returns."""

    @property
    def turns(self) -> int:
        return len(self.calls) + 1

    def pages(self, turn: int) -> range:
        """The pages that are asked for in a turn, the first being 0; none in the last."""
        before = sum(self.calls[:turn])
        return range(before + 1, before + 1 + sum(self.calls[turn : turn + 1]))


R3 = Workload("R3", (2, 1), SMALL)
"""Two tools at once, then one, then the answer."""


def reading(turns: int) -> Workload:
    """So many turns with one tool each, 5 KB a result, and then an answer."""
    return Workload(f"L{turns}", (1,) * turns, LARGE)


def named(name: str) -> Workload:
    """The workload of a name such as ``R3`` or ``L50``."""
    if name == R3.name:
        return R3
    if not (name.startswith("L") and name[1:].isdigit()):
        raise ValueError(f"no workload {name!r}; there are 'R3' and 'L' with a number of turns, such as 'L50'")
    return reading(int(name[1:]))


def page(number: int, size: int) -> str:
    """Hexadecimal noise, the same each time: it compresses to half, as a page of words does at best."""
    blocks = (hashlib.sha256(f"{number}/{block}".encode()).hexdigest() for block in range(size // 64 + 1))
    return f"Page {number}: {''.join(blocks)}"[:size]
