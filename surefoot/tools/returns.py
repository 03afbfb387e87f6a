"""Returns of goods."""

from typing import Annotated

from pydantic import Field, JsonValue

from surefoot.contracts.tools import Effect
from surefoot.ports import ToolContext
from surefoot.tools.contract import Arguments, tool
from surefoot.tools.http import Backend
from surefoot.tools.orders import OrderId


class StartReturn(Arguments):
    order_id: OrderId
    reason: Annotated[
        str, Field(description="Why it goes back, in the customer's words.", min_length=1, max_length=500)
    ]


@tool(
    backend="return_url",
    effect=Effect.KEYED,
    identity=("order_id",),  # the same return, however the reason is worded
    fallback="Returns cannot be started right now. No return has been started by this call.",
)
async def start_return(arguments: StartReturn, context: ToolContext, backend: Backend) -> JsonValue:
    """Start the return of an order and get the return's number and label. Call it once for each order."""
    return await backend.post("returns", body=arguments.model_dump(mode="json"), context=context)
