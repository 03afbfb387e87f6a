"""What Gemini is sent: a prompt in neutral words as the SDK's contents and configuration."""

import base64
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from google.genai import types

from surefoot.contracts.conversation import (
    AssistantMessage,
    CallPart,
    ConversationMessage,
    Part,
    TextPart,
    ThinkingPart,
    ToolMessage,
)
from surefoot.contracts.models import Prompt, ToolOffer, name_of
from surefoot.llm.names import callable_name
from surefoot.llm.parts import arguments_of, json_object
from surefoot.llm.schemas import for_gemini

PROVIDER = "gemini"
UNSIGNED = b"skip_thought_signature_validator"
"""Stands in for a signature that there never was. Gemini 3 refuses a turn whose first call has none; source: the FAQ
of Gemini's documentation on thought signatures."""
_BEFORE_SIGNATURES = re.compile(r"gemini-(1\.|2\.0)")
_SIGNATURES_OPTIONAL = re.compile(r"gemini-2\.5")


def contents(prompt: Prompt) -> list[types.Content]:
    """The conversation. Results of one turn share one content, as Gemini wants it."""
    return list(_contents(prompt.messages, name_of(prompt.model)))


def config(prompt: Prompt) -> types.GenerateContentConfig:
    """Everything but the conversation. ``max_output_tokens`` includes thinking.

    The SDK would otherwise call functions itself and send follow-up requests of its own.
    """
    return types.GenerateContentConfig(
        system_instruction=prompt.system or None,
        tools=[types.Tool(function_declarations=[_declaration(tool) for tool in prompt.tools])]
        if prompt.tools
        else None,
        temperature=prompt.temperature,
        max_output_tokens=prompt.max_output_tokens,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
    )


def _declaration(tool: ToolOffer) -> types.FunctionDeclaration:
    return types.FunctionDeclaration(
        name=tool.name, description=tool.description, parameters_json_schema=for_gemini(tool.parameters)
    )


def _contents(messages: Iterable[ConversationMessage], model: str) -> Iterator[types.Content]:
    for role, group in groupby(messages, key=lambda message: message.role):
        results: list[types.Part] = []
        for message in group:
            if isinstance(message, ToolMessage):
                results.append(_result(message))
            elif isinstance(message, AssistantMessage):
                if parts := _answer(message, model):
                    yield types.Content(role="model", parts=parts)
            else:
                yield types.Content(role="user", parts=[types.Part(text=message.text)])
        if role == "tool":
            yield types.Content(role="user", parts=results)


def _result(message: ToolMessage) -> types.Part:
    """A result that is a JSON object goes as it is, other text as its ``output``."""
    response = json_object(message.content) or {"output": message.content}
    return types.Part(
        function_response=types.FunctionResponse(
            id=message.call_id, name=callable_name(message.tool), response=response
        )
    )


def _answer(message: AssistantMessage, model: str) -> list[types.Part]:
    own = message.provider == PROVIDER
    first = message.calls[0] if message.calls and _wants_signature(model, own=own) else None
    return [_part(part, own=own, unsigned=part is first) for part in message.parts if own or _is_for_all(part)]


def _wants_signature(model: str, *, own: bool) -> bool:
    """Whether an unsigned first call needs the stand-in: not where Gemini itself left the signature out."""
    return not _BEFORE_SIGNATURES.match(model) and not (own and _SIGNATURES_OPTIONAL.match(model))


def _is_for_all(part: Part) -> bool:
    return isinstance(part, CallPart) or (isinstance(part, TextPart) and bool(part.text))


def _part(part: Part, *, own: bool, unsigned: bool) -> types.Part:
    signature = base64.b64decode(part.signature) if own and part.signature else None
    if isinstance(part, CallPart):
        call = types.FunctionCall(id=part.id, name=callable_name(part.tool), args=dict(arguments_of(part)))
        return types.Part(function_call=call, thought_signature=signature or (UNSIGNED if unsigned else None))
    return types.Part(text=part.text, thought=isinstance(part, ThinkingPart) or None, thought_signature=signature)
