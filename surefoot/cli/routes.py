"""Commands for routes around models that are out."""

from typing import Annotated

import typer

from surefoot.cli.groups import Listing
from surefoot.cli.options import Json

app = typer.Typer(cls=Listing, help="Show which models runs are led around, and end that by hand.")

Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model that is out, such as gemini:gemini-2.5-pro.")]


@app.command("list")
def list_routes(json: Json = False) -> None:
    """List the routes that hold; also what `routes` alone does."""
    from surefoot.cli import acting, detours

    acting.perform(detours.routes, as_json=json)


@app.command()
def clear(model: Model, json: Json = False) -> None:
    """Let runs use the model again from their next turn on. Its incident goes on, and writes no other route."""
    from surefoot.cli import acting, detours

    acting.perform(lambda settings: detours.clear(settings, model), as_json=json)
