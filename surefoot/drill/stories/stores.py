"""Trouble with the store itself."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

from surefoot.contracts.incidents import Incident
from surefoot.drill.field import Field
from surefoot.drill.story import Trouble

ORDER = "Where is my order A-1003?"
SLOWLY = timedelta(milliseconds=400)


async def forget(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """The store is wiped while a run calls a tool; a person closes the matter."""
    await field.shop.fault("orders", "latency", seconds=SLOWLY)
    await field.start("desk", ORDER)
    await field.first_call("orders")
    since = datetime.now(UTC)
    await field.wipe()
    incident = yield Trouble("redis", since)
    await field.type(incident, "incidents resolve")


async def fall_silent(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """The store does not answer while a run wants to pay for a call."""
    since = datetime.now(UTC)
    field.freeze()
    try:
        run = await field.start("desk", ORDER)
        yield Trouble("redis", since)
    finally:
        field.thaw()
    await field.surefoot.result(run)
