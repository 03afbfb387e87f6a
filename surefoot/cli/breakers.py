"""Commands for circuit breakers."""

from typing import Annotated

import typer

from surefoot.cli.groups import Listing
from surefoot.cli.options import By, Json, Reason

app = typer.Typer(cls=Listing, help="Show the circuit breakers of tools and models, and hold them by hand.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A tool or a model; NAME@TENANT if each tenant has its own.")]


@app.command("list")
def list_breakers(json: Json = False) -> None:
    """List the breakers of what has been called; also what `breakers` alone does."""
    from surefoot.cli import acting, office

    acting.perform(office.breakers, as_json=json)


@app.command()
def show(name: Name, json: Json = False) -> None:
    """Show one breaker."""
    from surefoot.cli import acting, holding

    acting.perform(lambda settings: holding.show(settings, name), as_json=json)


@app.command()
def force_open(name: Name, by: By, reason: Reason, json: Json = False) -> None:
    """Refuse every call until the breaker is reset."""
    from surefoot.cli import acting, holding

    acting.perform(lambda settings: holding.force_open(settings, name, by, reason), as_json=json)


@app.command()
def disable(name: Name, by: By, reason: Reason, json: Json = False) -> None:
    """Let every call through until the breaker is reset, however many fail."""
    from surefoot.cli import acting, holding

    acting.perform(lambda settings: holding.disable(settings, name, by, reason), as_json=json)


@app.command()
def reset(name: Name, by: By, reason: Reason, json: Json = False) -> None:
    """Close the breaker, and forget what it has counted and what was set by hand."""
    from surefoot.cli import acting, holding

    acting.perform(lambda settings: holding.reset(settings, name, by, reason), as_json=json)
