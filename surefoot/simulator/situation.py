"""What the scripted model sees when it is asked: the newest request and what has been done about it."""

import json
import re
from dataclasses import dataclass
from itertools import pairwise

from pydantic import JsonValue

from surefoot.contracts.base import JsonObject
from surefoot.contracts.conversation import AssistantMessage, CallPart, ConversationMessage, ToolMessage, UserMessage
from surefoot.contracts.models import Prompt, ToolOffer
from surefoot.simulator.outcomes import Outcome, read_outcome

BRIDGE = "OK"
_NOTE = re.compile(r"\[From the program that runs you\b[^\n]*\bturns 1 to (\d+)\.")
_QUOTE = "> "
_FACT = re.compile(r"\[\[fact (.+?)\]\]")


@dataclass(frozen=True)
class Done:
    """A call of the current request, with what came of it; no outcome if nobody told."""

    call: CallPart
    outcome: Outcome


@dataclass(frozen=True)
class Note:
    """What is known of turns that are not shown any more."""

    turns: int = 0
    done: tuple[Done, ...] = ()
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Situation:
    """The newest request, the rounds since, and the tools at hand.

    A round is an answer of the model, or a word of the user to an answer that was not kept.
    """

    prompt: Prompt
    request: str
    rounds: int
    done: tuple[Done, ...]
    earlier: str
    """What the user had said before."""
    remembered: tuple[str, ...] = ()
    """What a note on earlier turns says that was marked as ``[[fact words]]``."""

    def offer(self, tool: str) -> ToolOffer | None:
        return next((offer for offer in self.prompt.tools if offer.name == tool), None)

    def has_called(self, tool: str) -> bool:
        return any(done.call.tool == tool for done in self.done)

    def may_call(self, tool: str) -> bool:
        """The tool is offered and has not been called for this request."""
        return self.offer(tool) is not None and not self.has_called(tool)

    def closed(self, tool: str) -> Outcome | None:
        """What the system prompt says of a tool that is not offered now."""
        found = re.search(rf"^- {re.escape(tool)}: (.+)$", self.prompt.system, re.MULTILINE)
        return read_outcome(found.group(1)) if found and self.offer(tool) is None else None

    def outcomes(self, tool: str) -> tuple[Outcome, ...]:
        return tuple(done.outcome for done in self.done if done.call.tool == tool)

    def found(self, tool: str) -> JsonObject:
        """The newest successful result of a tool; nothing if there is none."""
        results = (outcome.value for outcome in reversed(self.outcomes(tool)) if outcome.succeeded)
        return next((result for result in results if isinstance(result, dict)), {})

    def match(self, pattern: str) -> re.Match[str] | None:
        return re.search(pattern, self.request, re.IGNORECASE)


def look(prompt: Prompt) -> Situation:
    """Read a conversation."""
    messages, note = _apart(prompt.messages)
    start = max((index for index in range(len(messages)) if _is_request(messages, index)), default=0)
    since = messages[start:]
    request = since[0].text if since and isinstance(since[0], UserMessage) else ""
    return Situation(
        prompt=prompt,
        request=request,
        rounds=note.turns + _rounds(since),
        done=(*note.done, *_done(since)),
        earlier="\n".join(message.text for message in messages[:start] if isinstance(message, UserMessage)),
        remembered=note.facts,
    )


def facts_in(text: str) -> list[str]:
    return _FACT.findall(text)


def _apart(messages: tuple[ConversationMessage, ...]) -> tuple[tuple[ConversationMessage, ...], Note]:
    """The conversation and what a note behind its first message says of turns that are not shown."""
    second = messages[1].text if len(messages) > 1 and isinstance(messages[1], UserMessage) else ""
    head = _NOTE.match(second)
    if head is None:
        return messages, Note()
    quoted = [line.removeprefix(_QUOTE) for line in second.splitlines() if line.startswith(_QUOTE)]
    done = tuple(Done(*found) for line in quoted if (found := _told_of(line)))
    note = Note(int(head.group(1)), done, tuple(fact for line in quoted for fact in facts_in(line)))
    return (messages[0], *messages[2:]), note


def _told_of(line: str) -> tuple[CallPart, Outcome] | None:
    """A call with a side effect, and its outcome."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    match found:
        case {"tool": str(tool), "asked": dict(asked), "told": str(told)}:
            return CallPart(id="", tool=tool, arguments=asked), read_outcome(told)
    return None


def _is_request(messages: tuple[ConversationMessage, ...], index: int) -> bool:
    """A user's message is a new request if it comes first or after a final answer; else a comment on what went wrong.

    Adapters for Mistral say something between tool results and a comment, which is no final answer.
    """
    if not isinstance(messages[index], UserMessage):
        return False
    if index == 0:
        return True
    before = messages[index - 1]
    if not isinstance(before, AssistantMessage) or before.calls or not before.text.strip():
        return False
    bridge = before.text.strip() == BRIDGE and index > 1 and isinstance(messages[index - 2], ToolMessage)
    return not bridge


def _rounds(since: tuple[ConversationMessage, ...]) -> int:
    answers = sum(isinstance(message, AssistantMessage) for message in since)
    unkept = sum(
        isinstance(before, UserMessage | ToolMessage) and isinstance(comment, UserMessage)
        for before, comment in pairwise(since)
    )
    return answers + unkept


def _done(since: tuple[ConversationMessage, ...]) -> tuple[Done, ...]:
    told = {message.call_id: message.content for message in since if isinstance(message, ToolMessage)}
    calls = [call for message in since if isinstance(message, AssistantMessage) for call in message.calls]
    return tuple(Done(call, read_outcome(told.get(call.id, ""))) for call in calls)


def fill(offer: ToolOffer, facts: dict[str, JsonValue]) -> JsonObject:
    """Arguments for a tool: of what is known, all that its schema has a name for."""
    properties = offer.parameters.get("properties")
    names = properties if isinstance(properties, dict) else facts
    return {name: facts[name] for name in names if name in facts}


def compact(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
