"""The conversation of a model call: its beginning is kept out of line, and the answer joins it."""

import asyncio

from temporalio.exceptions import ApplicationError

from surefoot import condensing
from surefoot.contracts.conversation import AssistantMessage
from surefoot.contracts.guardrails import BooksClosed
from surefoot.contracts.models import ModelCall, Preamble, Prompt
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.errors import ErrorType, ModelFailed, final
from surefoot.ports import Addition, Receipt, Said, Transcripts


class Forgetful:
    """Keeps nothing: each call brings its whole conversation."""

    async def read(self, ref: TranscriptRef) -> Said | None:
        return Said() if ref.length == 0 else None


async def whole(transcripts: Transcripts, call: ModelCall) -> Prompt | None:
    """The prompt with all that was said, or with a record of what is to be summarised of it.

    None if the beginning of what was said is missing. Raises ``StoreUnavailable``.
    """
    if call.transcript is None:
        return call.prompt
    said = await transcripts.read(call.transcript)
    if said is None:
        return None
    preamble, messages = said.preamble or _preamble(call), (*said.messages, *call.prompt.messages)
    if call.summary:
        messages = (await asyncio.to_thread(condensing.question, messages, call.summary),)  # which may be megabytes
    return call.prompt.model_copy(
        update={"system": preamble.system, "tools": preamble.tools, "messages": messages},
    )


def _preamble(call: ModelCall) -> Preamble:
    return Preamble(system=call.prompt.system, tools=call.prompt.tools)


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


def addition(call: ModelCall, answer: AssistantMessage) -> Addition | None:
    """What the call brought and its answer, where the conversation goes on; what is not kept travels again.

    An answer without tool calls is mostly the last.
    """
    ref = call.transcript
    if ref is None or call.summary or not answer.calls:
        return None
    return Addition(ref, (*call.prompt.messages, answer), None if ref.preamble else _preamble(call))


def told(receipt: Receipt | None) -> TranscriptRef | None:
    """How much of the conversation is kept now; the run knows where."""
    kept = receipt.transcript if receipt else None
    return kept.model_copy(update={"key": ""}) if kept else None
