"""The command that lists profiles."""

import typer

from surefoot.cli.options import Json

app = typer.Typer()


@app.command()
def profiles(json: Json = False) -> None:
    """List the agents that can be run."""
    from surefoot.cli import acting, office

    acting.perform(office.profiles, as_json=json)
