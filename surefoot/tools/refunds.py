"""Refunds: money back, at a target that can be asked whether it happened."""

from typing import Annotated

from pydantic import Field, JsonValue

from surefoot.contracts.tools import Effect
from surefoot.ports import ToolContext
from surefoot.tools.contract import Arguments, tool
from surefoot.tools.http import Backend
from surefoot.tools.orders import OrderId


class IssueRefund(Arguments):
    order_id: OrderId
    amount: Annotated[
        str,
        Field(description="In the order's currency, as text with two decimals: 25.00", pattern=r"^\d{1,7}\.\d{2}$"),
    ]
    reason: Annotated[str, Field(description="Why the money goes back.", min_length=1, max_length=500)]


async def find_refund(context: ToolContext, backend: Backend) -> JsonValue:
    """The refund that was made under the context's key, or None."""
    return await backend.find("refunds", query={"key": context.key or ""}, context=context)


@tool(
    backend="refund_url",
    effect=Effect.VERIFIABLE,
    identity=("order_id", "amount"),  # the same refund, however the reason is worded
    look_up=find_refund,
    fallback="Refunds cannot be issued right now. No money has been refunded by this call.",
)
async def issue_refund(arguments: IssueRefund, context: ToolContext, backend: Backend) -> JsonValue:
    """Refund an amount of an order to the customer. Look the order up first: never more than was paid."""
    return await backend.post("refunds", body=arguments.model_dump(mode="json"), context=context)
