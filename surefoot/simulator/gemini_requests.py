"""Reading Gemini's requests into neutral words."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, TypeAlias

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

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

KNOWN_MODEL = re.compile(r"gemini-\d(\.\d)?-(pro|flash)(-[a-z0-9]+)*")
DEFAULT_OUTPUT = 65_536
WRAPPERS = frozenset({"output", "result", "return_value"})
"""Names under which clients send a tool's text."""


class _Wire(BaseModel):
    """Google's servers take both camelCase and snake_case, and its SDK mixes them."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="ignore")


class _FunctionCall(_Wire):
    id: str | None = None
    name: str
    args: JsonObject = Field(default_factory=dict)


class _FunctionResponse(_Wire):
    id: str | None = None
    name: str
    response: JsonObject = Field(default_factory=dict)


class _Part(_Wire):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: _FunctionCall | None = None
    function_response: _FunctionResponse | None = None


class _Content(_Wire):
    role: str = "user"
    parts: list[_Part] = Field(default_factory=list)


_Schema: TypeAlias = Annotated[
    JsonObject,
    Field(validation_alias=AliasChoices("parametersJsonSchema", "parameters_json_schema", "parameters")),
]


class _Declaration(_Wire):
    name: str
    description: str = ""
    parameters: _Schema = Field(default_factory=dict)


class _Tool(_Wire):
    function_declarations: list[_Declaration] = Field(default_factory=list)


class _Thinking(_Wire):
    include_thoughts: bool = False
    thinking_budget: int | None = None


class _Config(_Wire):
    temperature: float | None = None
    max_output_tokens: int | None = Field(default=None, ge=1)
    thinking_config: _Thinking = Field(default_factory=_Thinking)


class GeminiRequest(_Wire):
    """The body of ``generateContent`` and its kin, as far as the simulator understands it."""

    contents: list[_Content] = Field(min_length=1)
    system_instruction: _Content = Field(default_factory=_Content)
    tools: list[_Tool] = Field(default_factory=list)
    generation_config: _Config = Field(default_factory=_Config)

    @property
    def think(self) -> bool:
        thinking = self.generation_config.thinking_config
        return thinking.include_thoughts or bool(thinking.thinking_budget)

    @property
    def show_thoughts(self) -> bool:
        return self.generation_config.thinking_config.include_thoughts

    def prompt(self, model: str) -> Prompt:
        """The same in neutral words. Raises ``Refused`` for what Gemini refuses."""
        self._check_turns()
        return Prompt(
            model=f"gemini:{model}",
            system="\n".join(part.text or "" for part in self.system_instruction.parts),
            messages=tuple(self._messages()),
            tools=tuple(
                ToolOffer(name=declared.name, description=declared.description, parameters=declared.parameters)
                for tool in self.tools
                for declared in tool.function_declarations
            ),
            temperature=self.generation_config.temperature,
            max_output_tokens=self.generation_config.max_output_tokens or DEFAULT_OUTPUT,
        )

    def _check_turns(self) -> None:
        """As many responses as calls, right after them."""
        empty = _Content(parts=[])
        for content, after in pairwise([*self.contents, empty]):
            asked = sum(part.function_call is not None for part in content.parts)
            answered = sum(part.function_response is not None for part in after.parts)
            if asked != answered:
                raise Refused(
                    400,
                    "Please ensure that the number of function response parts is equal to the number of function "
                    "call parts of the function call turn.",
                )

    def _messages(self) -> Iterator[ConversationMessage]:
        open_calls: list[CallPart] = []
        for turn, content in enumerate(self.contents):
            if content.role == "model":
                parts = tuple(_model_parts(content, turn))
                open_calls = [part for part in parts if isinstance(part, CallPart)]
                yield AssistantMessage(provider="gemini", parts=parts)
            else:
                yield from _user_messages(content, open_calls)


def _model_parts(content: _Content, turn: int) -> Iterator[Part]:
    for index, part in enumerate(content.parts):
        if call := part.function_call:
            id = call.id or f"{turn}.{index}"
            yield CallPart(id=id, tool=call.name, arguments=call.args, signature=part.thought_signature)
        elif part.thought:
            yield ThinkingPart(text=part.text or "", signature=part.thought_signature)
        else:
            yield TextPart(text=part.text or "", signature=part.thought_signature)


def _user_messages(content: _Content, open_calls: list[CallPart]) -> Iterator[ConversationMessage]:
    for part in content.parts:
        if response := part.function_response:
            call = _answered(response, open_calls)
            open_calls.remove(call)
            yield ToolMessage(call_id=call.id, tool=call.tool, content=_content(response.response))
        elif part.text is not None:
            yield UserMessage(text=part.text)


def _answered(response: _FunctionResponse, open_calls: list[CallPart]) -> CallPart:
    """The call that a response answers: the one with its id, else the first of its name."""
    for call in open_calls:
        if call.tool == response.name and response.id in (None, call.id):
            return call
    raise Refused(400, f"There is no function call for the function response {response.name!r}.")


def _content(response: JsonObject) -> str:
    """The text in a response that only wraps one; else the whole as JSON."""
    [name, value] = next(iter(response.items())) if len(response) == 1 else ("", None)
    return value if name in WRAPPERS and isinstance(value, str) else json.dumps(response, ensure_ascii=False)
