"""Customers, as the CRM knows them."""

from typing import Annotated

from pydantic import Field, JsonValue

from surefoot.contracts.tools import Effect
from surefoot.ports import ToolContext
from surefoot.tools.contract import Arguments, tool
from surefoot.tools.http import Backend


class LookUpCustomer(Arguments):
    customer: Annotated[
        str,
        Field(description="The customer's number, such as C-1001, or e-mail address.", min_length=1, max_length=254),
    ]


@tool(
    backend="crm_url",
    effect=Effect.READ,
    fallback="Customer records cannot be read right now. Do not guess who the customer is.",
)
async def look_up_customer(arguments: LookUpCustomer, context: ToolContext, backend: Backend) -> JsonValue:
    """Look up a customer by number or e-mail address: name, contact and the numbers of their orders."""
    return await backend.get("customers", arguments.customer, context=context)
