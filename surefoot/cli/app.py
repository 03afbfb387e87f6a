"""The command line: its commands put together, and what leaves with which exit code."""

import errno
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from surefoot.cli import approvals, breakers, budget, guards, incidents, ledger, routes, runs, stack
from surefoot.cli.exits import EPILOG, ExitCode

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Where the output goes, there is no room for it."""
app = typer.Typer(
    help="Runs AI agents as Temporal workflows and keeps their footing.",
    epilog=f"Without servers of your own, begin with `up`, and go on in another terminal.\n\n{EPILOG}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for title, part in {"Begin": stack.app, "Runs": runs.app, "Approvals": approvals.app, "Guards": guards.app}.items():
    for command in part.registered_commands:
        command.rich_help_panel = title
    app.add_typer(part)
for name, part in {
    "breakers": breakers.app,
    "budget": budget.app,
    "ledger": ledger.app,
    "routes": routes.app,
}.items():
    app.add_typer(part, name=name, rich_help_panel="Guards")
app.add_typer(incidents.app, name="incidents", rich_help_panel="Incidents")


@cache
def whole() -> TyperGroup:
    """All commands put together, once: that takes 10 ms."""
    return cast("TyperGroup", get_command(app))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; returns the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = _run(given)
        sys.stdout.flush()
    except SystemExit as left:  # with 1 when nobody reads any more, by typer and by rich; otherwise after completion
        return ExitCode.UNHEARD if left.code == 1 else int(left.code or 0)
    except BrokenPipeError:
        return ExitCode.UNHEARD
    except OSError as error:
        if error.errno not in FULL:
            raise
        from surefoot.cli.output import complain

        said = f"the output could not be written: {error.strerror}"
        complain(said, "OutputLost", ExitCode.UNHEARD, as_json="--json" in given)
        return ExitCode.UNHEARD
    return code


def _run(given: Sequence[str]) -> int:
    try:
        code = whole()(args=[*given], prog_name=Path(sys.argv[0]).name, standalone_mode=False)
    except typer.TyperException as error:
        if said := error.format_message():  # without arguments the help has been shown, and nothing is left to say
            from surefoot.cli.output import complain

            complain(
                f"{said.replace('Value error, ', '')} (--help tells more)",
                "Usage",
                ExitCode.USAGE,
                as_json="--json" in given,
            )
        return ExitCode.USAGE
    return int(code or ExitCode.DONE)
