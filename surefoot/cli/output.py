"""What a command leaves on standard output and standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from surefoot.cli.exits import ExitCode
from surefoot.cli.plain import one_line, plain

PIPE_WIDTH = 10_000
"""Columns where no terminal is: nothing is wrapped or cut."""


@dataclass(frozen=True)
class Rows:
    """A table where it is wide enough; else a paragraph a row, whose ids are whole and can be copied."""

    headings: Sequence[str]
    cells: Sequence[Sequence[str]]

    def within(self, console: Console) -> Table | Text:
        made = Table(box=None, pad_edge=False, header_style="bold")
        for heading in self.headings:
            made.add_column(heading, overflow="fold")
        for row in self.cells:
            made.add_row(*map(Text, row))
        needed = Measurement.get(console, console.options.update(max_width=PIPE_WIDTH), made).maximum
        return made if needed <= console.width else Text("\n\n").join(map(self._paragraph, self.cells))

    def _paragraph(self, row: Sequence[str]) -> Text:
        widest = max(map(len, self.headings))
        pairs = zip(self.headings, row, strict=True)
        return Text("\n").join(Text.assemble((f"{name:<{widest}}  ", "bold"), cell) for name, cell in pairs if cell)


Part = RenderableType | Rows


@dataclass(frozen=True)
class Answer:
    """What a command has to say: to programs, and to people."""

    document: JsonValue
    shown: Sequence[Part] = ()
    """For standard output."""
    remarks: Sequence[Part] = field(default=())
    """For standard error: what is not the answer itself."""
    code: ExitCode = ExitCode.DONE


def console(*, stderr: bool = False) -> Console:
    """Colours on a terminal only, and never with NO_COLOR."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def tell(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer.document, indent=2))
        return
    out, remarks = console(), console(stderr=True)
    for part in answer.shown:
        show(out, part)
    for part in answer.remarks:
        show(remarks, part)


def show(where: Console, part: Part) -> None:
    """Leave the wrapping of text to the terminal, so that a command in it can be copied."""
    part = part.within(where) if isinstance(part, Rows) else part
    where.print(part, soft_wrap=isinstance(part, Text))


def complain(message: str, kind: str, code: int, *, as_json: bool, more: JsonValue = None) -> None:
    """One line on standard error, or one JSON document."""
    line = one_line(message)
    label = "" if code == ExitCode.INTERRUPTED else "error: "
    if as_json:
        error: dict[str, JsonValue] = {"type": kind, "message": line, "exitCode": int(code)}
        error |= {"failure": more} if more is not None else {}
        print(json.dumps({"error": error}), file=sys.stderr)
    else:
        show(console(stderr=True), Text.assemble((label, "bold red"), line))


def remark(text: str) -> Text:
    return Text(plain(text), style="dim")


def words(text: str) -> Text:
    """Text of others, as text."""
    return Text(plain(text))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> Part:
    """Rows under headings, or a remark if there are none."""
    cells = [[one_line("" if cell is None else cell) for cell in row] for row in rows]
    return Rows(headings, cells) if cells else remark(empty)
