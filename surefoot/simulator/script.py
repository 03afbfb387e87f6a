"""The scripted model: a conversation in, words or tool calls out. Deterministic, pure, of no provider."""

import hashlib
import json
from dataclasses import dataclass

from surefoot.contracts.conversation import CallPart
from surefoot.contracts.models import Finish, Prompt, Usage
from surefoot.simulator.reply import Reply, Wish
from surefoot.simulator.rules import decide
from surefoot.simulator.rules.directives import has_directive
from surefoot.simulator.rules.memory import is_record
from surefoot.simulator.situation import Situation, look
from surefoot.simulator.tokens import cut_to, input_tokens, tokens_of, words_of_call

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 9  # what Mistral accepts


@dataclass(frozen=True)
class Performance:
    """One answer of the scripted model, within its output cap, with what it used."""

    thinking: str
    text: str
    calls: tuple[CallPart, ...]
    blocked: bool
    finish: Finish
    usage: Usage


def perform(prompt: Prompt, *, think: bool = False) -> Performance:
    """Answer a conversation. It thinks first if asked to, here or by ``[[think]]``; thinking counts as output."""
    situation = look(prompt)
    reply = decide(situation)
    thoughts = _thoughts(situation) if think or _is_told(situation, "think") else ""
    thinking = cut_to(thoughts, prompt.max_output_tokens)
    room = prompt.max_output_tokens - tokens_of(thinking)
    text, calls, finish = _within(room, reply, _calls(prompt, reply.calls))
    spoken = tokens_of(text + "".join(map(words_of_call, calls)))
    return Performance(
        thinking=thinking,
        text=text,
        calls=calls,
        blocked=reply.blocked,
        finish=finish,
        usage=_usage(prompt, situation, thinking=tokens_of(thinking), spoken=0 if reply.blocked else spoken),
    )


def _is_told(situation: Situation, adjective: str) -> bool:
    """By the user: what stands in a record of what was said is no directive."""
    return not is_record(situation) and has_directive(situation.request, adjective)


def _within(room: int, reply: Reply, calls: tuple[CallPart, ...]) -> tuple[str, tuple[CallPart, ...], Finish]:
    """What fits: words are cut, calls that do not fit whole are left out."""
    if tokens_of(reply.text + "".join(map(words_of_call, calls))) > room:
        return cut_to(reply.text, room), (), Finish.LENGTH
    malformed = any(call.malformed is not None for call in calls)
    return reply.text, calls, Finish.MALFORMED_CALL if malformed else Finish.STOP


def _usage(prompt: Prompt, situation: Situation, *, thinking: int, spoken: int) -> Usage:
    sent = input_tokens(prompt)
    return Usage(
        input_tokens=sent,
        cached_tokens=sent // 2 if _is_told(situation, "cached") else 0,
        output_tokens=thinking + spoken,
        thinking_tokens=thinking,
    )


def _thoughts(situation: Situation) -> str:
    tools = ", ".join(offer.name for offer in situation.prompt.tools) or "no tools"
    return f"The user wants: {situation.request[:200]} I have {tools}, and {len(situation.done)} results so far."


def _calls(prompt: Prompt, wishes: tuple[Wish, ...]) -> tuple[CallPart, ...]:
    return tuple(
        CallPart(id=_id(prompt, index, wish), tool=wish.tool, arguments=wish.arguments, malformed=wish.malformed)
        for index, wish in enumerate(wishes)
    )


def _id(prompt: Prompt, index: int, wish: Wish) -> str:
    """Nine letters and digits that no other call of the conversation has."""
    parts = json.dumps([len(prompt.messages), index, wish.tool, wish.arguments])
    number = int.from_bytes(hashlib.sha256(parts.encode()).digest())
    letters = ""
    for _ in range(_ID_LENGTH):
        number, letter = divmod(number, len(_LETTERS))
        letters += _LETTERS[letter]
    return letters
