"""Commands for what everything runs on."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from surefoot.cli.options import Json

app = typer.Typer()

Kind = Literal[
    "all",
    "breaker_open",
    "budget_soft",
    "budget_hard",
    "tool_failed",
    "outcome_unknown",
    "run_failed",
    "model_outage",
    "store_wiped",
    "approval_expired",
    "price_drift",
    "store_outage",
]


@app.command()
def doctor(
    send_test_notification: Annotated[
        bool, typer.Option("--send-test-notification", help="Tell every channel that this is a test, and resolve it.")
    ] = False,
    json: Json = False,
) -> None:
    """Check versions, addresses, keys, profiles, clocks and incident channels, and say what to do."""
    from surefoot.cli import acting, checking

    acting.attempt(partial(checking.examine, send_test_notification=send_test_notification), as_json=json)


@app.command()
def up(
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes to start.")] = 1,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Start none; run worker.py yourself.")] = False,
    state_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where state and logs are kept.  [default: .surefoot]")
    ] = None,
) -> None:
    """Run Temporal, Redis, the simulator and a worker here until Ctrl-C."""
    from surefoot.cli import hosting

    raise typer.Exit(hosting.up(0 if no_worker else workers, state_dir))


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, to look around.")] = False,
) -> None:
    """Play the seven scenes of what Surefoot survives, in half a minute."""
    from surefoot.cli import hosting

    raise typer.Exit(hosting.demo(keep=keep))


@app.command()
def drill(
    kind: Annotated[Kind, typer.Argument(help="Of incident; all of them if left out.", show_default=False)] = "all",
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, to look around.")] = False,
    json: Json = False,
) -> None:
    """Bring about each kind of incident on a stack of its own, and time page, acknowledgement and resolution."""
    from surefoot.cli import drilling

    raise typer.Exit(drilling.play(kind, as_json=json, keep=keep))
