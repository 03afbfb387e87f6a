"""Orders: look one up, place one."""

from typing import Annotated

from pydantic import Field, JsonValue

from surefoot.contracts.tools import Effect
from surefoot.ports import ToolContext
from surefoot.tools.contract import Arguments, tool
from surefoot.tools.http import Backend

OrderId = Annotated[str, Field(description="The order's number, such as A-1001.", min_length=1, max_length=100)]


class LookUpOrder(Arguments):
    order_id: OrderId


@tool(
    backend="order_url",
    effect=Effect.READ,
    fallback="Orders cannot be looked up right now. Do not guess an order's state.",
)
async def look_up_order(arguments: LookUpOrder, context: ToolContext, backend: Backend) -> JsonValue:
    """Look up one order by its number: product, quantity, amount, status, dates and the customer's number."""
    return await backend.get("orders", arguments.order_id, context=context)


class CreateOrder(Arguments):
    product: Annotated[str, Field(description="What to order, as the customer named it.", min_length=1, max_length=200)]
    quantity: Annotated[int, Field(description="How many.", ge=1, le=10_000)]


@tool(
    backend="order_url",
    effect=Effect.KEYED,
    fallback="Orders cannot be placed right now. Nothing has been ordered by this call.",
)
async def create_order(arguments: CreateOrder, context: ToolContext, backend: Backend) -> JsonValue:
    """Place one order and return it with its number. Call it once for each order that was asked for."""
    return await backend.post("orders", body=arguments.model_dump(mode="json"), context=context)
