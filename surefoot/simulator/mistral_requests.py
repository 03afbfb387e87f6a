"""Reading Mistral's requests into neutral words."""

import json
import re
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from surefoot.contracts.base import JsonObject
from surefoot.contracts.conversation import (
    AssistantMessage,
    CallPart,
    ConversationMessage,
    Part,
    TextPart,
    ThinkingPart,
    ToolMessage,
    UserMessage,
)
from surefoot.contracts.models import Prompt, ToolOffer
from surefoot.simulator.models import Refused

KNOWN_MODEL = re.compile(r"(open-)?(mistral|magistral|ministral|pixtral|codestral|devstral|mixtral)-[a-z0-9.-]+")
DEFAULT_OUTPUT = 32_768
_CALL_ID = re.compile(r"[A-Za-z0-9]{9}")


class _Function(BaseModel):
    name: str
    arguments: str | JsonObject = "{}"


class _Call(BaseModel):
    id: str | None = None
    function: _Function

    def part(self) -> CallPart:
        """The call; what is not JSON in its arguments is kept as it is."""
        check_id(self.id)
        arguments: JsonValue = None
        text = self.function.arguments
        try:
            arguments = json.loads(text) if isinstance(text, str) else text
        except ValueError:
            arguments = None
        if isinstance(arguments, dict):
            return CallPart(id=self.id or "", tool=self.function.name, arguments=arguments)
        return CallPart(id=self.id or "", tool=self.function.name, malformed=str(text))


class _Message(BaseModel):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[JsonObject] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    name: str | None = None
    prefix: bool = False

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(str(chunk["text"]) for chunk in self.content or [] if chunk.get("type") == "text")

    @property
    def thinking(self) -> str:
        chunks = self.content if isinstance(self.content, list) else []
        thoughts = [thought for chunk in chunks for thought in _listed(chunk.get("thinking"))]
        return "".join(str(thought["text"]) for thought in thoughts if isinstance(thought, dict))


class _Declared(BaseModel):
    name: str
    description: str = ""
    parameters: JsonObject = Field(default_factory=dict)


class _Tool(BaseModel):
    function: _Declared


class MistralRequest(BaseModel):
    """The body of ``/v1/chat/completions``, as far as the simulator understands it."""

    model: str
    messages: list[_Message] = Field(min_length=1)
    tools: list[_Tool] | None = None
    temperature: float | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    stream: bool = False
    prompt_mode: str | None = None
    reasoning_effort: str | None = None

    @property
    def think(self) -> bool:
        return self.prompt_mode == "reasoning" or self.reasoning_effort not in (None, "none")

    def prompt(self) -> Prompt:
        """The same in neutral words. Raises ``Refused`` for what Mistral refuses."""
        self._check_order()
        return Prompt(
            model=f"mistral:{self.model}",
            system="\n".join(message.text for message in self.messages if message.role == "system"),
            messages=tuple(self._messages()),
            tools=tuple(
                ToolOffer(
                    name=tool.function.name,
                    description=tool.function.description,
                    parameters=tool.function.parameters,
                )
                for tool in self.tools or []
            ),
            temperature=self.temperature,
            max_output_tokens=self.max_tokens or DEFAULT_OUTPUT,
        )

    def _check_order(self) -> None:
        """Every call is answered by a tool before anyone else speaks; the last word is not the model's."""
        unanswered: list[str | None] = []
        before = ""
        for message in self.messages:
            if message.role == "tool":
                check_id(message.tool_call_id)
                if message.tool_call_id not in unanswered:
                    raise _order("Unexpected tool call id in tool results.")
                unanswered.remove(message.tool_call_id)
            elif unanswered:
                raise _order("Not the same number of function calls and responses.")
            elif message.role == "user" and before == "tool":
                raise _order("Unexpected role 'user' after role 'tool'.")
            unanswered += [call.id for call in message.tool_calls or []]
            before = message.role
        if unanswered:
            raise _order("Not the same number of function calls and responses.")
        if before not in ("user", "tool") and not self.messages[-1].prefix:
            raise _order(f"Expected last role User or Tool (or Assistant with prefix True) but got {before}.")

    def _messages(self) -> Iterator[ConversationMessage]:
        for message in self.messages:
            if message.role == "user":
                yield UserMessage(text=message.text)
            elif message.role == "assistant":
                yield AssistantMessage(provider="mistral", parts=tuple(_parts(message)))
            elif message.role == "tool":
                yield ToolMessage(call_id=message.tool_call_id or "", tool=message.name or "", content=message.text)


def check_id(id: str | None) -> None:
    if id is None or not _CALL_ID.fullmatch(id):
        raise Refused(
            400, f"Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.", "invalid_function_call"
        )


def _order(message: str) -> Refused:
    return Refused(400, message, "invalid_request_message_order")


def _parts(message: _Message) -> Iterator[Part]:
    if message.thinking:
        yield ThinkingPart(text=message.thinking)
    if message.text:
        yield TextPart(text=message.text)
    for call in message.tool_calls or []:
        yield call.part()


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
