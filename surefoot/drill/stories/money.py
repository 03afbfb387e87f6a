"""Trouble with budgets: a session that comes near its cap, and one that reaches it."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from surefoot.contracts.incidents import Incident
from surefoot.drill.field import Field
from surefoot.drill.story import Trouble

REPORT = "Write a report of 3000 words on tides."


async def come_near_the_cap(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """One report crosses the soft line; a person raises the cap."""
    await field.start("frugal", REPORT)
    incident = yield Trouble(f"session:{field.name}", await field.first_call("mistral", "mistral-medium-2604"))
    await field.type(incident, "budget top-up")


async def reach_the_cap(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """A second report would pass the cap, and is refused; a person raises it."""
    await field.ask("thrifty", REPORT)
    since = datetime.now(UTC)
    await field.start("thrifty", REPORT, 1)
    incident = yield Trouble(f"session:{field.name}", since)
    await field.type(incident, "budget top-up")
