"""Trouble with models and their providers."""

from collections.abc import AsyncGenerator

from surefoot.contracts.incidents import Incident
from surefoot.drill.field import Field
from surefoot.drill.story import Trouble
from surefoot.rehearsal import Broken

HELLO = "Hello there"
REPORT = "Write a report of 3000 words on tides."


async def go_out(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """A model answers 500; its runs are led around it, and back once it answers."""
    await field.shop.fault("mistral", "status", status=500, operation="mistral-small-2506")
    run = await field.start("fallback", HELLO)
    yield Trouble("mistral:mistral-small-2506", await field.first_call("mistral"))
    if not (await field.surefoot.result(run)).fell_back:
        raise Broken("the run was not answered by its fallback")
    await field.shop.clear_faults("mistral")


async def refuse(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """A model refuses a run's request; a person lets the run try again."""
    await field.shop.fault("gemini", "status", status=400, operation="gemini-2.5-pro", count=1)
    run = await field.start("strict", HELLO)
    incident = yield Trouble(run, await field.first_call("gemini", "gemini-2.5-pro"))
    await field.type(incident, "retry")


async def grow_dearer(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """A dearer model stands in for a cheap one, once; a person takes note."""
    cheap = "gemini-2.5-flash-lite"
    await field.shop.fault("gemini", "served_as", operation=cheap, model="gemini-2.5-pro", count=1)
    await field.start("cheap", REPORT)
    incident = yield Trouble(f"gemini:{cheap}", await field.first_call("gemini", cheap))
    await field.type(incident, "incidents resolve")
