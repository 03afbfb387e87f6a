"""What Mistral answers: the chunks of a stream as one generation in neutral words."""

import json
from dataclasses import dataclass, field

from mistralai.client import models

from surefoot.contracts.conversation import AssistantMessage, Part, TextPart, ThinkingPart
from surefoot.contracts.models import Finish, Generation, Usage
from surefoot.llm import errors
from surefoot.llm.mistral_request import PROVIDER
from surefoot.llm.parts import call_part, merged, with_unique_ids

_NAME = "Mistral"
_FINISH = {
    "stop": Finish.STOP,
    "tool_calls": Finish.STOP,
    "length": Finish.LENGTH,
    "model_length": Finish.LENGTH,
}
_NO_ID = "null"
"""What the SDK puts where a call has no id."""


@dataclass
class _Call:
    """A call whose name and arguments may come in pieces."""

    id: str | None
    index: int
    tool: str
    pieces: list[str] = field(default_factory=list)


class Answer:
    """Takes the chunks of one stream in order, and then says what they come to."""

    def __init__(self) -> None:
        self._words: list[Part] = []
        self._calls: list[_Call] = []
        self._usage: Usage | None = None
        self._version: str | None = None
        self._finish: str | None = None

    def add(self, chunk: models.CompletionChunk) -> str:
        """Take a chunk; gives the new words that are meant for the user. The last usage wins."""
        self._version = chunk.model or self._version
        self._usage = _usage(chunk.usage) or self._usage
        return self._choice(chunk.choices[0]) if chunk.choices else ""

    def _choice(self, choice: models.CompletionResponseStreamChoice) -> str:
        self._finish = choice.finish_reason or self._finish
        for call in choice.delta.tool_calls or ():
            self._call(call)
        words = _words(choice.delta.content)
        self._words += words
        return "".join(part.text for part in words if isinstance(part, TextPart))

    def generation(self, taken: set[str]) -> Generation:
        """What was answered; ids of calls differ from those taken.

        Raises ``ProviderFailure`` for a stream that ended early or in an error, and for one without usage, since
        nobody could say what it cost.
        """
        if self._finish is None:
            raise errors.broken_off(_NAME, "it ended in the middle")
        if self._usage is None:
            raise errors.broken_off(_NAME, "it ended without usage", model_version=self._version)
        if self._finish not in _FINISH:
            why = errors.redacted(f"it ended with {self._finish!r}")
            raise errors.broken_off(_NAME, why, usage=self._usage, model_version=self._version)
        calls = [call_part(call.id, call.tool, "".join(call.pieces)) for call in self._calls]
        return Generation(
            message=AssistantMessage(provider=PROVIDER, parts=with_unique_ids(merged([*self._words, *calls]), taken)),
            usage=self._usage,
            model_version=self._version or "",
            finish=_FINISH[self._finish],
        )

    def _call(self, piece: models.ToolCall) -> None:
        """A piece with an id goes on with the call of that id, one with neither id nor name with that of its index."""
        id = None if piece.id in (None, "", _NO_ID) else piece.id
        index = piece.index or 0
        arguments = piece.function.arguments
        call = self._begun(id, index, piece.function.name)
        if call is None:
            call = _Call(id, index, piece.function.name)
            self._calls.append(call)
        call.pieces.append(arguments if isinstance(arguments, str) else json.dumps(arguments))

    def _begun(self, id: str | None, index: int, name: str) -> _Call | None:
        for call in reversed(self._calls):
            if call.id == id if id else call.index == index and not name:
                return call
        return None


def _words(content: object) -> list[Part]:
    if isinstance(content, str):
        return [TextPart(text=content)]
    chunks = content if isinstance(content, list) else ()
    return [part for part in map(_part, chunks) if part]


def _part(chunk: object) -> Part | None:
    if isinstance(chunk, models.TextChunk):
        return TextPart(text=chunk.text)
    if isinstance(chunk, models.ThinkChunk):
        text = "".join(piece.text for piece in chunk.thinking if isinstance(piece, models.TextChunk))
        return ThinkingPart(text=text, signature=chunk.signature or None)
    return None


def _usage(usage: models.UsageInfo | None) -> Usage | None:
    if usage is None or not usage.prompt_tokens:
        return None
    extra = usage.additional_properties
    prompt, completion = extra.get("prompt_tokens_details"), extra.get("completion_tokens_details")
    return Usage(
        input_tokens=usage.prompt_tokens,
        cached_tokens=_count(prompt, "cached_tokens"),
        output_tokens=usage.completion_tokens or 0,
        thinking_tokens=_count(completion, "reasoning_tokens"),
    )


def _count(details: object, name: str) -> int:
    count = details.get(name) if isinstance(details, dict) else None
    return count if isinstance(count, int) and count > 0 else 0
