"""What reaches a terminal: colours and spinners on one only, and nothing that a model smuggled in."""

import asyncio
import io
import os
import pty
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from temporalio.worker import Worker

from surefoot.cli.output import show, table
from surefoot.cli.plain import one_line, plain, public
from surefoot.contracts.budgets import ScopeKind, ScopeStatus
from surefoot.simulator.client import SimulatorClient
from tests.cli.conftest import STARTER, Typed

WHERE = "Where is my order A-1003?"


async def on_a_terminal(environment: dict[str, str], cwd: Path, *arguments: str) -> str:
    """All that a terminal is sent by the command."""
    ours, its = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, STARTER, *arguments, env=environment | {"TERM": "xterm"}, cwd=cwd, stdout=its, stderr=its
    )
    os.close(its)
    reading = asyncio.create_task(asyncio.to_thread(_all_of, ours))
    await process.wait()
    return (await reading).decode()


def _all_of(terminal: int) -> bytes:
    seen = b""
    try:
        while piece := os.read(terminal, 65_536):
            seen += piece
    except OSError:  # Linux's way to say that the other side is closed
        return seen
    finally:
        os.close(terminal)
    return seen


async def test_a_terminal_gets_a_spinner_and_steps(
    environment: dict[str, str], tmp_path: Path, served: Worker, simulator: SimulatorClient, unique: str
) -> None:
    await simulator.fault("mistral", "latency", seconds=timedelta(seconds=1), count=1)
    seen = await on_a_terminal(environment, tmp_path, "run", WHERE, "--session", unique, "--follow")
    assert "calling the model, turn 1" in seen
    assert "turn 1: asks for look_up_order" in seen
    assert "\x1b[" in seen
    assert "A-1003 over 89.00 EUR" in seen


async def test_a_terminal_shows_that_it_waits(
    environment: dict[str, str], tmp_path: Path, served: Worker, unique: str
) -> None:
    seen = await on_a_terminal(environment, tmp_path, "run", WHERE, "--session", unique)
    assert "waiting; Ctrl-C leaves the run going" in seen
    assert "turn 1: " not in plain(seen), "steps are for those who follow"


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
async def test_colours_are_for_terminals_that_want_them(
    environment: dict[str, str], tmp_path: Path, variables: dict[str, str], coloured: bool
) -> None:
    seen = await on_a_terminal(environment | variables, tmp_path, "result", "nobody")
    assert ("\x1b[1;31m" in seen) is coloured
    assert "error: " in plain(seen)


async def test_a_pipe_gets_no_escape_at_all(starter: Typed, served: Worker, unique: str) -> None:
    left = await starter("run", WHERE, "--session", unique, "--follow")
    assert "\x1b" not in left.out + left.err


async def test_what_a_model_repeats_cannot_command_the_terminal(typed: Typed, served: Worker, unique: str) -> None:
    left = await typed("run", "Summarise \x1b]0;owned\x07\x1b[2Jheat\x9b31m pumps", "--profile", "summarise")
    assert left.code == 0
    assert not set("\x1b\x07\x9b") & set(left.out + left.err)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext é 😀", "plain\n\ttext é 😀"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("\x9b2Jcleared\x9d0;t\x9c", "cleared"),
        ("a\x1b[", "a"),
        ("back\x08\x7f\rspace", "backspace"),
        ("\u202eevil\u2069", "evil"),
        ("half \ud83d", "half "),
    ],
)
def test_text_is_stripped_of_what_a_terminal_obeys(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_an_error_stays_in_one_line() -> None:
    assert one_line("a\n  b\t\x1b[0mc") == "a b c"


def test_names_are_written_as_other_programs_expect_and_data_is_left_alone() -> None:
    scope = ScopeStatus(kind=ScopeKind.SESSION, subject="s", limit=5, soft_line=4, settled=1, held=0)
    document = public({"my_key": scope, "list": (scope,)})
    assert isinstance(document, dict)
    assert document["my_key"] == {
        "kind": "session",
        "subject": "s",
        "limit": 5,
        "softLine": 4,
        "settled": 1,
        "held": 0,
        "unknown": 0,
        "window": "forever",
        "resetsAt": None,
        "round": 0,
    }


def test_a_table_too_wide_for_its_terminal_keeps_its_ids_whole() -> None:
    rows = table(
        ("Run", "Status", "Ended"), [("run:default:k1", "failed", None), ("run:default:k2", "running", "now")], empty=""
    )
    narrow, wide = io.StringIO(), io.StringIO()
    show(Console(file=narrow, width=12), rows)
    show(Console(file=wide, width=80), rows)
    assert narrow.getvalue() == (
        "Run     run:default:k1\nStatus  failed\n\nRun     run:default:k2\nStatus  running\nEnded   now\n"
    )
    assert [line.split() for line in wide.getvalue().splitlines()][1:] == [
        ["run:default:k1", "failed"],
        ["run:default:k2", "running", "now"],
    ]
