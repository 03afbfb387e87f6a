"""What Gemini answers: the chunks of a stream as one generation in neutral words."""

import base64

from google.genai import types

from surefoot.contracts.conversation import AssistantMessage, Part, TextPart, ThinkingPart
from surefoot.contracts.models import Finish, Generation, Usage
from surefoot.llm import errors
from surefoot.llm.gemini_request import PROVIDER
from surefoot.llm.parts import call_part, merged, with_unique_ids

_NAME = "Gemini"
_FINISH = {
    "STOP": Finish.STOP,
    "MAX_TOKENS": Finish.LENGTH,
    "CONTINUATION": Finish.LENGTH,
    "MALFORMED_FUNCTION_CALL": Finish.MALFORMED_CALL,
    "UNEXPECTED_TOOL_CALL": Finish.MALFORMED_CALL,
}
_WORTH_REPEATING = frozenset({"OTHER", "FINISH_REASON_UNSPECIFIED", "MALFORMED_RESPONSE"})
"""Every other reason, such as SAFETY or RECITATION, is a block."""


class Answer:
    """Takes the chunks of one stream in order, and then says what they come to."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._usage: Usage | None = None
        self._version: str | None = None
        self._finish: str | None = None
        self._why = ""

    def add(self, chunk: types.GenerateContentResponse) -> str:
        """Take a chunk; gives the new words that are meant for the user. The last usage metadata wins."""
        self._version = chunk.model_version or self._version
        self._usage = _usage(chunk.usage_metadata) or self._usage
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            self._finish = f"prompt: {chunk.prompt_feedback.block_reason.value}"
            self._why = chunk.prompt_feedback.block_reason_message or ""
        return self._candidate(chunk.candidates[0]) if chunk.candidates else ""

    def _candidate(self, candidate: types.Candidate) -> str:
        if candidate.finish_reason:
            self._finish, self._why = candidate.finish_reason.value, candidate.finish_message or ""
        raw = candidate.content.parts if candidate.content else None
        parts = [part for part in map(_part, raw or ()) if part]
        self._parts += parts
        return "".join(part.text for part in parts if isinstance(part, TextPart))

    def generation(self, taken: set[str]) -> Generation:
        """What was answered; ids of calls differ from those taken.

        Raises ``ProviderFailure`` for a block, for a stream that ended early, and for one without usage, since
        nobody could say what it cost.
        """
        finish = self._finished()
        if self._usage is None:
            raise errors.broken_off(_NAME, "it ended without usage", model_version=self._version)
        return Generation(
            message=AssistantMessage(provider=PROVIDER, parts=with_unique_ids(merged(self._parts), taken)),
            usage=self._usage,
            model_version=self._version or "",
            finish=finish,
        )

    def _finished(self) -> Finish:
        if self._finish is None:
            raise errors.broken_off(_NAME, "it ended in the middle")
        if self._finish in _FINISH:
            return _FINISH[self._finish]
        failure = errors.broken_off if self._finish in _WORTH_REPEATING else errors.blocked
        why = errors.redacted(f"{self._finish} {self._why}".strip())
        raise failure(_NAME, why, usage=self._usage, model_version=self._version)


def _part(part: types.Part) -> Part | None:
    signature = base64.b64encode(part.thought_signature).decode() if part.thought_signature else None
    if part.function_call:
        call = part.function_call
        return call_part(call.id, call.name, call.args or {}, signature)
    if part.text is None and signature is None:
        return None
    kind = ThinkingPart if part.thought else TextPart
    return kind(text=part.text or "", signature=signature)


def _usage(metadata: types.GenerateContentResponseUsageMetadata | None) -> Usage | None:
    if metadata is None or metadata.prompt_token_count is None:
        return None
    thinking = metadata.thoughts_token_count or 0
    return Usage(
        input_tokens=metadata.prompt_token_count + (metadata.tool_use_prompt_token_count or 0),
        cached_tokens=metadata.cached_content_token_count or 0,
        output_tokens=(metadata.candidates_token_count or 0) + thinking,
        thinking_tokens=thinking,
    )
