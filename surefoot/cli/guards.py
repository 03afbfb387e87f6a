"""Commands that show what the guards know: breakers, budgets, profiles."""

from typing import Annotated

import typer

from surefoot.cli.options import DEFAULT_TENANT, Json, Tenant

app = typer.Typer()


@app.command()
def breakers(json: Json = False) -> None:
    """Show the circuit breakers of tools and models."""
    from surefoot.cli import acting, office

    acting.perform(office.breakers, as_json=json)


@app.command()
def budget(
    session: Annotated[str | None, typer.Option(help="The books of this conversation.")] = None,
    user: Annotated[str | None, typer.Option(help="The books of this user.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    profile: Annotated[str, typer.Option(help="The agent whose limits hold.")] = "support",
    json: Json = False,
) -> None:
    """Show what a conversation, a user or a tenant has spent, holds and may spend."""
    from surefoot.cli import acting, office

    acting.perform(
        lambda settings: office.budget(settings, tenant=tenant, session=session, user=user, profile=profile),
        as_json=json,
    )


@app.command()
def profiles(json: Json = False) -> None:
    """List the agents that can be run."""
    from surefoot.cli import acting, office

    acting.perform(office.profiles, as_json=json)
