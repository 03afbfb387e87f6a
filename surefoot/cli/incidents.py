"""Commands for incidents and their runbooks."""

from typing import Annotated, Literal

import typer

from surefoot.cli.options import By, Json, Limit

app = typer.Typer(help="Read incidents, act on them and end them.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="INCIDENT", help="The incident's id.")]
Why = Annotated[str, typer.Option(help="Why; kept beside who.")]
Level = Literal["SEV1", "SEV2", "SEV3", "SEV4", "SEV5"]


@app.command("list")
def list_incidents(
    state: Annotated[Literal["open", "acknowledged", "resolved"] | None, typer.Option(help="Only these.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as breaker_open.")] = None,
    severity: Annotated[Level | None, typer.Option(help="Only of this severity.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this, such as create_order.")] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List incidents, the newest first."""
    from surefoot.cli import acting, troubles

    acting.connected(lambda client: troubles.listed(client, state, kind, severity, subject, limit), as_json=json)


@app.command()
def show(id: Id, json: Json = False) -> None:
    """Show an incident, who was told of it, and its runbook."""
    from surefoot.cli import acting, troubles

    acting.connected(lambda client: troubles.show(client, id), as_json=json)


@app.command()
def runbook(
    id: Id, html: Annotated[bool, typer.Option("--html", help="A page for a browser instead of Markdown.")] = False
) -> None:
    """Print the runbook as it is, to be read or kept elsewhere."""
    from surefoot.cli import acting, troubles

    acting.connected(lambda client: troubles.runbook(client, id, html=html), as_json=False)


@app.command()
def timeline(id: Id, json: Json = False) -> None:
    """List what happened in the run, and what was done about it since, in order."""
    from surefoot.cli import acting, troubles

    acting.connected(lambda client: troubles.timeline(client, id), as_json=json)


@app.command()
def ack(id: Id, by: By, reason: Why, json: Json = False) -> None:
    """Say that you work on it: nobody else is called."""
    from surefoot.cli import acting, interventions

    acting.connected(lambda client: interventions.acknowledge(client, id, by, reason), as_json=json)


@app.command()
def snooze(
    id: Id,
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, such as 30m or 2h; 7d at most.")],
    by: By,
    reason: Why,
    json: Json = False,
) -> None:
    """Let nobody be called for a while; then the level that was told last is told again."""
    from surefoot.cli import acting, interventions

    acting.connected(lambda client: interventions.snooze(client, id, length, by, reason), as_json=json)


@app.command()
def reassign(
    id: Id,
    to: Annotated[str, typer.Option(help="A level of the escalation, or anybody by name.")],
    by: By,
    reason: Why,
    json: Json = False,
) -> None:
    """Tell somebody else now, who has to acknowledge."""
    from surefoot.cli import acting, interventions

    acting.connected(lambda client: interventions.reassign(client, id, to, by, reason), as_json=json)


@app.command()
def resolve(
    id: Id,
    by: By,
    reason: Annotated[str, typer.Option(help="Why it is over.")],
    json: Json = False,
) -> None:
    """End an incident."""
    from surefoot.cli import acting, interventions

    acting.connected(lambda client: interventions.resolve(client, id, by, reason), as_json=json)
