"""Reading on in a result that was cut. Every worker has this tool; a model is offered it once something was cut."""

from typing import Annotated

from pydantic import Field, JsonValue

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.tools import Effect
from surefoot.errors import Fault, StoreUnavailable, ToolFailure
from surefoot.pages import count, page
from surefoot.ports import Blobs, ToolContext, kept_result
from surefoot.tools.contract import Arguments, tool

_AGAIN = "make the call again that gave it if it only reads, and no other: it was made"


class ReadOn(Arguments):
    result: Annotated[str, Field(description="The name that the note at the cut tells.", min_length=1, max_length=64)]
    page: Annotated[int, Field(description="From 1 on.", ge=1)]


@tool(backend="redis_url", effect=Effect.READ, fallback="The rest of the result cannot be read right now.")
async def read_on(arguments: ReadOn, context: ToolContext, blobs: Blobs) -> JsonValue:
    """Read a further page of a result that was cut because it is long."""
    try:
        kept = await blobs.get(kept_result(context.tenant, arguments.result))
    except StoreUnavailable as error:
        raise _failure(str(error), Fault.RETRYABLE) from error
    if kept is None:
        raise _failure(f"this result is not kept, or not any more; {_AGAIN}", Fault.MODELS_OWN)
    text = kept.decode()
    if arguments.page > count(text):
        raise _failure(f"the result has {count(text)} pages, so there is no page {arguments.page}", Fault.MODELS_OWN)
    return page(text, arguments.page, arguments.result)


def _failure(message: str, fault: Fault) -> ToolFailure:
    return ToolFailure(message, fault=fault, verdict=Verdict.NEUTRAL, reached=True, maybe_done=False)
