"""Trouble with the back ends of tools."""

import asyncio
import itertools
from collections.abc import AsyncGenerator

from surefoot.contracts.incidents import Incident, IncidentState
from surefoot.drill.field import Field
from surefoot.drill.story import Trouble

ORDER = "Where is my order A-1003?"
CUSTOMER = "Who is C-1001?"
MAIL = "Mail ada@example.com: your order has left"
CUSTOMERS = 5
PAUSE = 0.2
"""Seconds between two customers."""


async def hang(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """The orders hang for five customers at once; customers keep asking until one of them is the probe."""
    await field.shop.fault("orders", "hang")
    asked = [await field.start("desk", ORDER, number) for number in range(CUSTOMERS)]
    incident = yield Trouble("look_up_order", await field.first_call("orders"))
    await field.shop.clear_faults("orders")
    await asyncio.gather(*map(field.surefoot.result, asked))
    for number in itertools.count(CUSTOMERS):
        await field.ask("desk", ORDER, number)
        if (await field.surefoot.incident(incident.id)).state is IncidentState.RESOLVED:
            return
        await asyncio.sleep(PAUSE)


async def fail(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """The CRM answers 500 to every attempt of a call."""
    await field.shop.fault("crm", "status", status=500)
    run = await field.start("desk", CUSTOMER)
    yield Trouble("look_up_customer", await field.first_call("crm"))
    await field.shop.clear_faults("crm")
    await field.surefoot.result(run)
    await field.ask("desk", CUSTOMER, 1)


async def lose_an_answer(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """A mail is sent, and the answer that says so is lost; a person looks whether it has left, and settles it."""
    await field.shop.fault("mail", "apply_then_lose", count=1)
    await field.start("clerk", MAIL)
    incident = yield Trouble("send_email", await field.first_call("mail"))
    has_left = bool(await field.shop.effects("mail"))
    await field.type(incident, "ledger settle", "--done" if has_left else "--not-done")
