"""Commands for the tool calls that wait for a human."""

from typing import Annotated

import typer

from surefoot.cli.options import DEFAULT_TENANT, By, Json, Limit, Run, Tenant

app = typer.Typer()

Request = Annotated[str | None, typer.Argument(metavar="REQUEST", help="The request's id; not needed if one is open.")]


@app.command("approvals")
def list_approvals(
    tenant: Annotated[str | None, typer.Option(help="Only those of this tenant.")] = None,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List the tool calls that wait for a human, the longest waiting first."""
    from surefoot.cli import acting, deciding

    acting.connected(lambda client: deciding.open_ones(client, tenant, limit), as_json=json)


@app.command()
def approve(
    run: Run,
    by: By,
    request: Request = None,
    edit: Annotated[str | None, typer.Option(metavar="JSON", help="Arguments to call the tool with instead.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    json: Json = False,
) -> None:
    """Let a tool call go ahead."""
    from surefoot.cli import acting, deciding

    acting.connected(lambda client: deciding.approve(client, run, tenant, request, by, edit), as_json=json)


@app.command()
def reject(
    run: Run,
    by: By,
    request: Request = None,
    feedback: Annotated[str, typer.Option(help="Told to the model, which may try again.")] = "",
    tenant: Tenant = DEFAULT_TENANT,
    json: Json = False,
) -> None:
    """Refuse a tool call and tell the model why."""
    from surefoot.cli import acting, deciding

    acting.connected(lambda client: deciding.reject(client, run, tenant, request, by, feedback), as_json=json)
