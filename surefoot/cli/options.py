"""Arguments and options that several commands share."""

from typing import Annotated

import typer

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or the key that it was started with.")]
Tenant = Annotated[str, typer.Option(help="Whose keys and budgets these are.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]
By = Annotated[str, typer.Option(help="Who decides; kept in the history.")]
Reason = Annotated[str, typer.Option(help="Why; kept beside who.")]
Detach = Annotated[bool, typer.Option("--detach", help="Start it and leave.")]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Do not wait for people: leave with code 5 when an approval is open.")
]

DEFAULT_TENANT = "default"

Profile = Annotated[str, typer.Option(help="The agent whose limits hold.")]
DEFAULT_PROFILE = "support"
