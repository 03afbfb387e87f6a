"""E-mail, through a server that neither honours a key nor can be asked."""

from typing import Annotated

from pydantic import Field, JsonValue

from surefoot.contracts.tools import Effect
from surefoot.ports import ToolContext
from surefoot.tools.contract import Arguments, tool
from surefoot.tools.http import Backend


class SendEmail(Arguments):
    to: Annotated[str, Field(description="One e-mail address.", pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
    subject: Annotated[str, Field(description="One line.", pattern=r"^[^\r\n]+$", max_length=200)]
    body: Annotated[str, Field(description="The message as plain text.", min_length=1, max_length=20_000)]


@tool(
    backend="mail_url",
    effect=Effect.UNSAFE,
    identity=("to", "subject"),  # a reworded body must not become a second message when the first is in doubt
    fallback="E-mail cannot be sent right now. Nothing has been sent by this call.",
)
async def send_email(arguments: SendEmail, context: ToolContext, backend: Backend) -> JsonValue:
    """Send one e-mail. It cannot be taken back."""
    return await backend.post("messages", body=arguments.model_dump(mode="json"), context=context)
