"""What Mistral is sent: a prompt in neutral words as the SDK's messages and tools."""

import json
from collections.abc import Iterable, Iterator

from mistralai.client import models
from mistralai.client.types import UNSET, OptionalNullable

from surefoot.contracts.conversation import (
    AssistantMessage,
    CallPart,
    ConversationMessage,
    TextPart,
    ThinkingPart,
    ToolMessage,
)
from surefoot.contracts.models import Prompt, ToolOffer
from surefoot.llm.names import callable_name, nine
from surefoot.llm.parts import arguments_of

PROVIDER = "mistral"
_HOTTEST = 1.5
"""Mistral's API reference; Gemini goes up to 2."""
_BRIDGE = "OK"
"""Said by the assistant between tool results and the next user message: Mistral answers 400 "Unexpected role 'user'
after role 'tool'" otherwise."""

ChatMessage = models.SystemMessage | models.UserMessage | models.AssistantMessage | models.ToolMessage


def messages(prompt: Prompt) -> list[ChatMessage]:
    """The system prompt and the conversation."""
    system: list[ChatMessage] = [models.SystemMessage(content=prompt.system)] if prompt.system else []
    return [*system, *_conversation(prompt.messages)]


def tools(prompt: Prompt) -> OptionalNullable[list[models.Tool]]:
    """The offered tools, if there are any."""
    return [_tool(offer) for offer in prompt.tools] or UNSET


def temperature(prompt: Prompt) -> OptionalNullable[float]:
    """The temperature, if one is set, at most as high as Mistral allows."""
    return UNSET if prompt.temperature is None else min(prompt.temperature, _HOTTEST)


def _tool(offer: ToolOffer) -> models.Tool:
    return models.Tool(
        function=models.Function(name=offer.name, description=offer.description, parameters=dict(offer.parameters))
    )


def _conversation(conversation: Iterable[ConversationMessage]) -> Iterator[ChatMessage]:
    after_tool = False
    for message in conversation:
        if isinstance(message, AssistantMessage):
            answer = _answer(message)
            if answer is None:
                continue
            yield answer
        elif isinstance(message, ToolMessage):
            yield models.ToolMessage(
                content=message.content, tool_call_id=nine(message.call_id), name=callable_name(message.tool)
            )
        else:
            if after_tool:
                yield models.AssistantMessage(content=_BRIDGE)
            yield models.UserMessage(content=message.text)
        after_tool = isinstance(message, ToolMessage)


def _answer(message: AssistantMessage) -> models.AssistantMessage | None:
    """None for an answer that says nothing, which Mistral refuses."""
    content = _content(message)
    if not content and not message.calls:
        return None
    answer = models.AssistantMessage(content=content)
    if message.calls:
        answer.tool_calls = [_call(index, call) for index, call in enumerate(message.calls)]
    return answer


def _content(message: AssistantMessage) -> str | list[models.ContentChunk]:
    chunks: list[models.ContentChunk] = []
    for part in message.parts:
        if isinstance(part, ThinkingPart) and message.provider == PROVIDER:
            chunks.append(_thinking(part))
        elif isinstance(part, TextPart) and part.text:
            chunks.append(models.TextChunk(text=part.text))
    return chunks if any(isinstance(chunk, models.ThinkChunk) for chunk in chunks) else message.text


def _thinking(part: ThinkingPart) -> models.ThinkChunk:
    thinking: list[models.Thinking] = [models.TextChunk(text=part.text)] if part.text else []
    return (
        models.ThinkChunk(thinking=thinking, signature=part.signature)
        if part.signature
        else models.ThinkChunk(thinking=thinking)
    )


def _call(index: int, call: CallPart) -> models.ToolCall:
    function = models.FunctionCall(
        name=callable_name(call.tool), arguments=json.dumps(arguments_of(call), ensure_ascii=False)
    )
    return models.ToolCall(id=nine(call.id), index=index, function=function)
