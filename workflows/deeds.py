"""Counts deeds: which occurrence of the same tool with the same identifying arguments a call is."""

from pydantic import JsonValue

from surefoot.contracts.base import Message
from surefoot.contracts.tools import ToolContract
from surefoot.idempotency import canonical, digest, identifying


def deed(contract: ToolContract, arguments: dict[str, JsonValue]) -> str:
    """Names what a call does: equal for calls that do the same."""
    return digest(contract.name, canonical(identifying(arguments, contract.identity)))


class Deeds(Message):
    """Which occurrences of each deed are done, and which the current turn has taken.

    A call takes the first occurrence that is neither: so a call that ended unknown or failed is repeated under the
    same key, one that was done is never mistaken for it, and identical calls of one turn are told apart.
    """

    done: dict[str, tuple[int, ...]] = {}  # noqa: RUF012 - pydantic copies it
    taken: dict[str, tuple[int, ...]] = {}  # noqa: RUF012
    unknown: dict[str, tuple[int, ...]] = {}  # noqa: RUF012
    """Those of which a call has ended without anybody's knowing whether it happened."""

    def next_turn(self) -> "Deeds":
        return self.model_copy(update={"taken": {}})

    def first_free(self, name: str) -> int:
        used = {*self.done.get(name, ()), *self.taken.get(name, ())}
        return next(n for n in range(len(used) + 1) if n not in used)

    def take(self, name: str, occurrence: int) -> "Deeds":
        return self.model_copy(update={"taken": {**self.taken, name: (*self.taken.get(name, ()), occurrence)}})

    def give_back(self, name: str, occurrence: int) -> "Deeds":
        """A call that was rejected or refused does not count."""
        left = tuple(n for n in self.taken.get(name, ()) if n != occurrence)
        return self.model_copy(update={"taken": {**self.taken, name: left}})

    def doubt(self, name: str, occurrence: int) -> "Deeds":
        return self.model_copy(update={"unknown": {**self.unknown, name: (*self.unknown.get(name, ()), occurrence)}})

    def in_doubt(self, name: str, occurrence: int) -> bool:
        return occurrence in self.unknown.get(name, ())

    def finish(self, name: str, occurrence: int) -> "Deeds":
        return self.model_copy(update={"done": {**self.done, name: (*self.done.get(name, ()), occurrence)}})
