"""Commands for the ledger of side effects."""

from typing import Annotated

import typer

from surefoot.cli.options import By, Json, Reason

app = typer.Typer(help="Look up side effects, and settle those of which nobody knows whether they happened.")

Key = Annotated[str, typer.Argument(metavar="KEY", help="The effect key, as an incident tells it.")]


@app.command()
def show(key: Key, json: Json = False) -> None:
    """Show the claim of a side effect: its state, who holds it, its attempts and its result."""
    from surefoot.cli import acting, claims

    acting.perform(lambda settings: claims.show(settings, key), as_json=json)


@app.command()
def settle(
    key: Key,
    by: By,
    reason: Reason,
    done: Annotated[
        str | None, typer.Option(metavar="JSON", help="It has happened: its result, as the tool would have told it.")
    ] = None,
    not_done: Annotated[
        bool, typer.Option("--not-done", help="It has not happened, so it may be tried again.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what became of a side effect whose outcome is unknown or in doubt. Look at the target first."""
    from surefoot.cli import acting, claims

    if (done is None) != not_done:
        raise typer.BadParameter("give either --done with the result, or --not-done")
    acting.perform(lambda settings: claims.settle(settings, key, done, by, reason), as_json=json)
