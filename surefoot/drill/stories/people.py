"""Trouble with people: nobody decides."""

from collections.abc import AsyncGenerator

from surefoot.contracts.approvals import ApprovalRequest
from surefoot.contracts.incidents import Incident
from surefoot.drill.field import Field
from surefoot.drill.story import Trouble
from surefoot.rehearsal import until

TASK = "Publish a summary on tides."


async def keep_silent(field: Field) -> AsyncGenerator[Trouble, Incident]:
    """A publication waits for an approval that does not come; a person closes the matter."""
    run = await field.start("editor", TASK)

    async def asked() -> tuple[ApprovalRequest, ...]:
        return (await field.surefoot.progress(run)).approvals

    (request,) = await until(asked, "a request for approval", field.patience)
    incident = yield Trouble(request.tool, request.expires_at)
    await field.type(incident, "incidents resolve")
