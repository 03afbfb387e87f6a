"""The conversation of a model call: its beginning is kept out of line, and the answer joins it."""

from temporalio.exceptions import ApplicationError

from activities.persistence import persisted
from surefoot.contracts.conversation import AssistantMessage, ConversationMessage
from surefoot.contracts.guardrails import BooksClosed
from surefoot.contracts.models import ModelCall, Prompt
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.errors import ErrorType, ModelFailed, final
from surefoot.ports import Transcripts


class Forgetful:
    """Keeps nothing: each call brings its whole conversation."""

    async def read(self, ref: TranscriptRef) -> tuple[ConversationMessage, ...] | None:
        return () if ref.length == 0 else None

    async def append(self, ref: TranscriptRef, messages: tuple[ConversationMessage, ...]) -> TranscriptRef | None:
        return None


async def whole(transcripts: Transcripts, call: ModelCall) -> Prompt | None:
    """The prompt with all that was said; None if its beginning is missing. Raises ``StoreUnavailable``."""
    if call.transcript is None:
        return call.prompt
    before = await transcripts.read(call.transcript)
    if before is None:
        return None
    return call.prompt.model_copy(update={"messages": (*before, *call.prompt.messages)})


def missing(call: ModelCall, news: BooksClosed, spent: int) -> ApplicationError:
    """Final for the activity: the workflow, which has every message, sends the whole.

    ``news`` and what was ``spent`` are earlier attempts'.
    """
    length = call.transcript.length if call.transcript else 0
    message = f"the first {length} messages are not in the store"
    details = ModelFailed(
        model=call.prompt.model,
        message=message,
        crossings=news.crossings,
        drifts=news.drifts,
        store=news.store,
        cost=spent,
    )
    return final(ErrorType.TRANSCRIPT_MISSING, message, details)


async def kept(transcripts: Transcripts, call: ModelCall, answer: AssistantMessage) -> TranscriptRef | None:
    """Keep what the call brought and its answer, where the conversation goes on; what is not kept travels again.

    An answer without tool calls is mostly the last.
    """
    ref = call.transcript
    if ref is None or not answer.calls:
        return None
    return await persisted(lambda: transcripts.append(ref, (*call.prompt.messages, answer)))
