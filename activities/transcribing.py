"""The conversation of a model call: its beginning is kept out of line, and the answer joins it."""

import asyncio

from temporalio.exceptions import ApplicationError

from surefoot import condensing
from surefoot.contracts.conversation import AssistantMessage
from surefoot.contracts.guardrails import BooksClosed
from surefoot.contracts.models import ModelCall, Preamble, Prompt
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.errors import ErrorType, ModelFailed, StoreUnavailable, final
from surefoot.ports import Addition, Receipt, Said, Transcripts


class Forgetful:
    """Keeps nothing: each call brings its whole conversation."""

    async def read(self, ref: TranscriptRef) -> Said | None:
        return Said() if ref.length == 0 else None


class Missing(Exception):
    """The beginning of what was said is not to be had."""


async def whole(transcripts: Transcripts, call: ModelCall) -> Prompt:
    """The prompt with all that was said, or with a record of what is to be summarised of it. Raises ``Missing``."""
    if call.transcript is None:
        return call.prompt
    what = f"the first {call.transcript.length} messages"
    try:
        said = await transcripts.read(call.transcript)
    except StoreUnavailable as error:  # of this key, perhaps of no other
        raise Missing(f"{what} could not be read: {error}") from error
    if said is None:
        raise Missing(f"{what} are not in the store")
    preamble, messages = said.preamble or _preamble(call), (*said.messages, *call.prompt.messages)
    if call.summary:
        messages = (await asyncio.to_thread(condensing.question, messages, call.summary),)  # which may be megabytes
    return call.prompt.model_copy(
        update={"system": preamble.system, "tools": preamble.tools, "messages": messages},
    )


def _preamble(call: ModelCall) -> Preamble:
    return Preamble(system=call.prompt.system, tools=call.prompt.tools)


def missing(call: ModelCall, why: str, news: BooksClosed, spent: int) -> ApplicationError:
    """Final for the activity: the workflow, which has every message, sends the whole.

    ``news`` and what was ``spent`` are earlier attempts'.
    """
    details = ModelFailed(
        model=call.prompt.model,
        message=why,
        crossings=news.crossings,
        drifts=news.drifts,
        store=news.store,
        cost=spent,
    )
    return final(ErrorType.TRANSCRIPT_MISSING, why, details)


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
