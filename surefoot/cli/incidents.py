"""Commands for incidents and their runbooks."""

from typing import Annotated, Literal

import typer

from surefoot.cli.options import By, Json, Limit

app = typer.Typer(help="Read incidents and end them.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="INCIDENT", help="The incident's id.")]


@app.command("list")
def list_incidents(
    state: Annotated[Literal["open", "acknowledged", "resolved"] | None, typer.Option(help="Only these.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as breaker_open.")] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List incidents, the newest first."""
    from surefoot.cli import acting, troubles

    acting.connected(lambda client: troubles.listed(client, state, kind, limit), as_json=json)


@app.command()
def show(id: Id, json: Json = False) -> None:
    """Show an incident and its runbook."""
    from surefoot.cli import acting, troubles

    acting.connected(lambda client: troubles.show(client, id), as_json=json)


@app.command()
def resolve(
    id: Id,
    by: By,
    reason: Annotated[str, typer.Option(help="Why it is over.")],
    json: Json = False,
) -> None:
    """End an incident."""
    from surefoot.cli import acting, troubles

    acting.connected(lambda client: troubles.resolve(client, id, by, reason), as_json=json)
