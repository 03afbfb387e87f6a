"""What a rule wants the model to say."""

from dataclasses import dataclass

from surefoot.contracts.base import JsonObject


@dataclass(frozen=True)
class Wish:
    """A tool call; ``malformed`` is sent in place of arguments that could be parsed."""

    tool: str
    arguments: JsonObject
    malformed: str | None = None


@dataclass(frozen=True)
class Reply:
    """Words or calls; with neither, the empty answer."""

    text: str = ""
    calls: tuple[Wish, ...] = ()
    blocked: bool = False
    """The provider's safety filter keeps the answer back."""
