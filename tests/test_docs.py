"""What the documents say is so: commands parse, named tests and files exist, settings are the settings."""

import ast
import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from benchmarks import tables
from surefoot.cli.app import app
from surefoot.cli.exits import EPILOG
from surefoot.contracts.base import parse_duration
from surefoot.contracts.profiles import Limits
from surefoot.contracts.tools import Effect
from surefoot.dotenv import example
from surefoot.errors import ErrorType
from surefoot.tools.registry import DESIGNS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
PROMISE = (
    "at-least-once execution, exactly-once recorded result; a side effect happens effectively once where the target"
    " honours the key or can be asked; an `unsafe` tool is never repeated on doubt: its outcome is recorded as unknown"
    " and a human is told."
)

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def fenced(text: str) -> str:
    """The lines of the document's shell blocks, with continued ones joined."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text, flags=re.S | re.M)).replace("\\\n", " ")


def quoted(text: str) -> list[str]:
    """What stands in backticks within the prose."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))


def commands(text: str) -> list[list[str]]:
    """The words after ``starter.py`` of each command line."""
    lines = [*fenced(text).splitlines(), *quoted(text)]
    return [shlex.split(line.partition("starter.py")[2], comments=True) for line in lines if "starter.py " in line]


def parse(words: list[str]) -> None:
    """Let the command line take the words without doing anything. Raises what it raises when they are wrong."""
    command = get_command(app)
    while isinstance(command, TyperGroup) and words and words != ["--help"]:
        context = command.make_context("starter.py", list(words))
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    if words != ["--help"]:
        command.make_context("starter.py", list(words))


@documents
def test_every_command_in_it_is_one_that_the_command_line_takes(document: Path) -> None:
    found = commands(document.read_text())
    assert found
    for words in found:
        parse(words)


@documents
def test_every_make_target_in_it_exists(document: Path) -> None:
    text = document.read_text()
    asked = re.findall(r"^make ([\w-]+)", fenced(text), flags=re.M)
    asked += [target for said in quoted(text) for target in re.findall(r"^make ([\w-]+)", said)]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert [target for target in asked if target not in targets] == []


@documents
def test_every_test_that_it_names_exists(document: Path) -> None:
    named = {said for said in quoted(document.read_text()) if re.fullmatch(r"test_\w+", said)}
    there = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert named - there == set()


@documents
def test_every_file_and_link_in_it_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []
    files = [said for said in quoted(text) if re.fullmatch(r"[\w./-]*/[\w./-]*|[\w-]+\.(py|toml|yml|md)", said)]
    assert [file for file in files if not (ROOT / file).exists()] == []


@documents
def test_it_speaks_of_no_machine_but_the_readers(document: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:home|work|root|tmp|Users)/\S*", document.read_text()) == []


def test_the_readme_promises_what_can_be_held_and_names_the_tests_that_do() -> None:
    text = (ROOT / "README.md").read_text()
    assert PROMISE in text
    rows = re.findall(r"^\|.*`test_\w+`.*\|$", text, flags=re.M)
    assert len(rows) >= 10
    assert text.count("<!-- demo -->") == text.count("<!-- /demo -->") == 1


def test_every_setting_is_shown_with_its_default() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| (`[A-Z].*?) \| (.*?) ?\|", text, flags=re.M)
    shown = {name: default.strip("` ") for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    assert shown == dict(re.findall(r"^# ([A-Z_]+)=(.*)$", example(), flags=re.M))


def test_the_tables_of_performance_are_those_that_were_measured() -> None:
    text = tables.DOCUMENT.read_text()
    assert tables.renewed(text) == text


def test_the_readme_knows_the_exit_codes() -> None:
    told = EPILOG.removeprefix("Exit codes: ").replace(" (--no-wait)", "")
    assert f"Exit codes: {told}" in (ROOT / "README.md").read_text()


def test_the_architecture_knows_every_tool_effect_and_end() -> None:
    said = set(quoted((ROOT / "docs" / "architecture.md").read_text()))
    assert {effect.value for effect in Effect} <= said
    assert {design.name for design in DESIGNS} <= said
    workflows = "".join(path.read_text() for path in (ROOT / "workflows").glob("*.py"))
    ends = {ErrorType[name] for name in re.findall(r"\.end\(\s*ErrorType\.(\w+)", workflows)}
    assert len(ends) > 5
    assert {end.value for end in ends} <= said


def test_the_limits_of_a_profile_are_told_with_their_defaults() -> None:
    _, _, section = (ROOT / "docs" / "settings.md").read_text().partition("## Limits of a profile")
    told = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section, flags=re.M))
    defaults = {name: field.default for name, field in Limits.model_fields.items()}
    assert {name: parse_duration(text) for name, text in told.items()} == {
        name: value if isinstance(value, timedelta) else str(value) for name, value in defaults.items()
    }
