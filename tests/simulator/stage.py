"""Conversations with the scripted model: offers, results, and who answers its calls."""

import json
from collections.abc import Callable
from typing import TypeAlias

from surefoot.contracts.base import JsonObject
from surefoot.contracts.conversation import (
    AssistantMessage,
    CallPart,
    ConversationMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from surefoot.contracts.models import Prompt, ToolOffer
from surefoot.simulator.script import perform

Tools: TypeAlias = dict[str, str | Callable[[CallPart], str]]
"""What each tool answers."""

ADA = json.dumps({"id": "C-1001", "name": "Ada Lovelace"})
TEAPOT = json.dumps({"id": "A-1001", "total": "49.90", "status": "delivered"})
BACK_AT = "Refunds cannot be issued right now. Do not call it again now; it can be tried again at 12:30:05 UTC."
DOUBT = "It is not known whether 'issue_refund' happened. Do not repeat it: a human has been told."

ARGUMENTS = {
    "look_up_customer": ("customer",),
    "look_up_order": ("order_id",),
    "issue_refund": ("order_id", "amount", "reason"),
    "start_return": ("order_id", "reason"),
    "create_order": ("product", "quantity"),
    "send_email": ("to", "subject", "body"),
    "search": ("query",),
    "publish_summary": ("title", "summary"),
}


def offers(*tools: str) -> tuple[ToolOffer, ...]:
    return tuple(ToolOffer(name=tool, description="", parameters=_schema(tool)) for tool in tools)


def _schema(tool: str) -> JsonObject:
    return {"type": "object", "properties": {name: {} for name in ARGUMENTS.get(tool, ())}}


def prompt_of(*messages: ConversationMessage | str, tools: tuple[str, ...] = (), cap: int = 100_000) -> Prompt:
    said = tuple(UserMessage(text=message) if isinstance(message, str) else message for message in messages)
    return Prompt(model="scripted:one", system="", messages=said, tools=offers(*tools), max_output_tokens=cap)


def play(*opening: ConversationMessage | str, tools: Tools, turns: int = 12) -> list[ConversationMessage]:
    """The conversation until the model has an answer, or for so many turns."""
    messages = list(prompt_of(*opening).messages)
    for _ in range(turns):
        performance = perform(prompt_of(*messages, tools=tuple(tools)))
        if not performance.calls:
            messages.append(AssistantMessage(provider="scripted", parts=(TextPart(text=performance.text),)))
            break
        messages.append(AssistantMessage(provider="scripted", parts=performance.calls))
        messages += [_result(call, tools) for call in performance.calls]
    return messages


def _result(call: CallPart, tools: Tools) -> ToolMessage:
    answer = tools.get(call.tool, f"There is no tool {call.tool!r}.")
    return ToolMessage(call_id=call.id, tool=call.tool, content=answer if isinstance(answer, str) else answer(call))


def turns_of(messages: list[ConversationMessage]) -> list[list[str]]:
    """The tools called in each turn."""
    return [[call.tool for call in turn] for turn in calls_of(messages)]


def calls_of(messages: list[ConversationMessage]) -> list[tuple[CallPart, ...]]:
    return [message.calls for message in messages if isinstance(message, AssistantMessage) and message.calls]


def answer_of(messages: list[ConversationMessage]) -> str:
    last = messages[-1]
    assert isinstance(last, AssistantMessage)
    return last.text
