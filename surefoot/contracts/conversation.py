"""A conversation as every provider can continue it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from surefoot.contracts.base import JsonObject, Message

MAX_MESSAGE = 256 * 1024
"""Bytes of one message of a conversation, as JSON."""


class TextPart(Message):
    """Words of the model. A signature belongs to the provider that made it and goes back to that one only."""

    kind: Literal["text"] = "text"
    text: str
    signature: str | None = None


class ThinkingPart(Message):
    """What the model thought, for the provider that made it and for nobody else."""

    kind: Literal["thinking"] = "thinking"
    text: str
    signature: str | None = None


class CallPart(Message):
    """A tool call that the model asked for; ``id`` is unique within the run.

    ``malformed`` holds the text that should have been arguments, where it could not be parsed.
    """

    kind: Literal["call"] = "call"
    id: str
    tool: str
    arguments: JsonObject = {}
    malformed: str | None = None
    signature: str | None = None


Part: TypeAlias = Annotated[TextPart | ThinkingPart | CallPart, Field(discriminator="kind")]


class UserMessage(Message):
    role: Literal["user"] = "user"
    text: str


class AssistantMessage(Message):
    """One answer of a model: its parts in order, and the provider whose signatures they carry."""

    role: Literal["assistant"] = "assistant"
    provider: str
    parts: tuple[Part, ...] = ()

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def calls(self) -> tuple[CallPart, ...]:
        return tuple(part for part in self.parts if isinstance(part, CallPart))


class ToolMessage(Message):
    """What became of one tool call, as text that the model can act on."""

    role: Literal["tool"] = "tool"
    call_id: str
    tool: str
    content: str


ConversationMessage: TypeAlias = Annotated[UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


def size_in_bytes(messages: tuple[ConversationMessage, ...]) -> int:
    """UTF-8 bytes of the messages as JSON: an upper bound of their tokens, since a token is at least one byte."""
    return sum(len(message.model_dump_json().encode()) for message in messages)
