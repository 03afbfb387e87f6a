"""What a storm tells as it goes, and the table of promises at its end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.gale import Teller
from tests.chaos.promises import Finding

EVERY = 25
"""Off a terminal, ended runs are told in steps of so many."""


class Lines:
    """One line for each blow, and for each step of ended runs."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def struck(self, what: str) -> None:
        self._console.print(what, highlight=False)

    def ended(self, runs: int, of: int) -> None:
        if runs % EVERY == 0 or runs == of:
            self._console.print(f"{runs} of {of} runs have ended", highlight=False)


class Bar:
    """A bar of ended runs, with the blows above it."""

    def __init__(self, progress: Progress, runs: int) -> None:
        self._progress = progress
        self._task = progress.add_task("runs", total=runs)

    def struck(self, what: str) -> None:
        self._progress.console.print(what, highlight=False)

    def ended(self, runs: int, of: int) -> None:
        self._progress.update(self._task, completed=runs, total=of)


@contextmanager
def teller(console: Console, runs: int) -> Iterator[Teller]:
    """A bar on a terminal, lines elsewhere."""
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress, runs)


def table(findings: Sequence[Finding]) -> Table:
    """Each promise, on how much it was checked, and whether it held."""
    rows = Table(title="Promises, read from outside", title_justify="left")
    rows.add_column("promise", overflow="fold")
    rows.add_column("checked", justify="right")
    rows.add_column("breaches", justify="right")
    rows.add_column("seen", overflow="fold")
    for finding in findings:
        style = None if finding.held else "bold red"
        rows.add_row(finding.promise, str(finding.checked), str(len(finding.breaches)), finding.note, style=style)
    return rows
