"""The program itself: how fast it starts, how it is completed, how it leaves."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from surefoot.dotenv import example
from surefoot.settings import STACK_FILE, variables
from tests.cli.conftest import STARTER, Launch, Typed
from tests.support.descendants import children_of

PROJECT = tomllib.loads((STARTER.parent / "pyproject.toml").read_text())["project"]
FOR_HELP = {"typer", "rich", "markdown-it-py"}
"""Of what is depended on: rich reads Markdown."""


async def test_help_names_every_command_and_exit_code(typed: Typed) -> None:
    left = await typed("--help")
    commands = (
        "run runs status result retry reset cancel approvals approve reject incidents breakers budget ledger profiles "
        "doctor up demo drill"
    )
    assert left.code == 0
    assert [name for name in commands.split() if f" {name} " not in left.out] == []
    titles = [title for title in ("Begin", "Runs", "Approvals", "Guards", "Incidents") if f"─ {title} ─" in left.out]
    assert titles == sorted(titles, key=lambda title: left.out.index(f"─ {title} ─"))
    assert len(titles) == 5
    assert "5 waiting for approval" in " ".join(left.out.split())


def heavy() -> set[str]:
    """The top-level packages of everything that is depended on and that help needs not."""
    needed = [need for needs in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()) for need in needs]
    names = {re.split(r"[\[<>=~! ;]", need)[0] for need in needed} - FOR_HELP
    found = {module for module, makers in packages_distributions().items() if names & {name.lower() for name in makers}}
    assert {"temporalio", "pydantic", "pydantic_settings", "redis", "google", "mistralai", "httpx2"} <= found
    return found


@pytest.mark.parametrize(
    ("words", "completing", "typers_own"),
    [
        (["--help"], "", set()),
        (["incidents", "list", "--help"], "", {"pydantic"}),  # it reads a command's options with it
        ([], "complete_bash", {"pydantic"}),
    ],
    ids=["help", "a command's help", "completion"],
)
def test_help_loads_nothing_heavy(words: list[str], completing: str, typers_own: set[str]) -> None:
    """Imports are most of the time that a command takes to say anything."""
    asked = {"_STARTER.PY_COMPLETE": completing, "COMP_WORDS": "starter.py inc", "COMP_CWORD": "1"}
    told = subprocess.run(
        [sys.executable, "-X", "importtime", STARTER, *words],
        env={**os.environ, **(asked if completing else {})},
        capture_output=True,
        check=True,
        text=True,
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.stderr.splitlines()}
    assert "typer" in loaded
    assert "incidents" in told.stdout
    assert loaded & heavy() == typers_own


def bare_python(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """What the interpreter says that has none of our packages."""
    bare = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}"
    return subprocess.run([bare, *words], cwd=cwd, capture_output=True, check=False, text=True)


def test_any_python_goes_on_in_the_projects_own_environment(tmp_path: Path) -> None:
    own = tmp_path / "my project" / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    own.chmod(0o755)
    script = shutil.copy(STARTER, own.parents[2])
    assert bare_python(script, "run", "two words", cwd=tmp_path).stdout == f"{script}|run|two words|"


def test_without_its_packages_it_says_in_one_line_what_to_do(tmp_path: Path) -> None:
    left = bare_python("-S", shutil.copy(STARTER, tmp_path), "runs", cwd=tmp_path)
    assert (left.returncode, left.stdout, left.stderr.count("\n")) == (2, "", 1)
    assert "make up" in left.stderr


def test_a_shell_completes_commands() -> None:
    asked = {"_STARTER.PY_COMPLETE": "complete_bash", "COMP_WORDS": "starter.py inc", "COMP_CWORD": "1"}
    left = subprocess.run([sys.executable, STARTER], env=os.environ | asked, capture_output=True, check=True, text=True)
    assert left.stdout.split() == ["incidents"]


def test_a_shell_completes_the_commands_of_a_group() -> None:
    asked = {"_STARTER.PY_COMPLETE": "complete_bash", "COMP_WORDS": "starter.py breakers ", "COMP_CWORD": "2"}
    left = subprocess.run([sys.executable, STARTER], env=os.environ | asked, capture_output=True, check=True, text=True)
    assert left.stdout.split() == ["list", "show", "force-open", "disable", "reset"]


def test_a_reader_that_goes_away_is_no_traceback(environment: dict[str, str], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, str(STARTER), "profiles"]
    left = subprocess.run(command, env=environment, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (left.stderr, left.returncode) == (b"", 141)


@pytest.mark.parametrize("words", [("profiles",), ("profiles", "--json"), ("--help",)])
def test_an_output_for_which_there_is_no_room_is_no_traceback(
    environment: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    command = [sys.executable, str(STARTER), *words]
    with Path("/dev/full").open("wb") as full:
        left = subprocess.run(
            command, env=environment, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False, text=True
        )
    assert left.returncode == 141
    assert left.stderr.count("\n") == 1
    assert "the output could not be written: No space left on device" in left.stderr


async def test_every_command_has_help(typed: Typed) -> None:
    for command in ("run", "reset", "incidents resolve", "up", "budget", "budget set", "breakers show"):
        left = await typed(*command.split(), "--help")
        assert (left.code, left.err) == (0, "")


async def test_up_tells_in_one_line_what_keeps_it_from_starting(starter: Typed) -> None:
    (await starter("up", SUREFOOT_STORE_TIMEOUT="-1s")).refuses(2, "SUREFOOT_STORE_TIMEOUT")


async def test_up_takes_a_folder_that_can_be_one(starter: Typed, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (await starter("up", "--no-worker", "--state-dir", "file")).refuses(2, "'", "file", "choose another")


async def test_up_keeps_its_state_where_it_is_told_and_buries_a_server_line_by_line(
    launch: Launch, environment: dict[str, str], tmp_path: Path
) -> None:
    for name in ("REDIS_URL", "SUREFOOT_STATE_DIR"):  # the other servers are the session's
        environment.pop(name)
    up = await launch("up", "--no-worker", "--state-dir", "kept here", PYTHONUNBUFFERED="1")
    assert up.stdout is not None
    assert b"export SUREFOOT_STATE_DIR" in await up.stdout.readuntil(b"Ctrl-C")
    (redis,) = children_of(up.pid)
    assert (tmp_path / "kept here" / STACK_FILE).exists()
    os.kill(redis, signal.SIGKILL)
    out, err = await up.communicate()
    first, *log = err.decode().splitlines()
    assert up.returncode == 4
    assert first == f"error: Redis (process {redis}) was ended by SIGKILL, so everything was ended"
    assert any("Ready to accept connections" in line for line in log)
    assert f"Redis (process {redis})" in out.decode(), "told before the others are ended"


def test_the_example_of_the_settings_is_what_the_settings_are() -> None:
    text = (STARTER.parent / ".env.example").read_text()
    assert text == example(), "run `python -m surefoot.dotenv > .env.example`"
    assert [name for name in variables() if f"# {name}=" not in text] == []


async def test_a_status_without_a_worker_is_told_from_temporals_records(typed: Typed, unique: str) -> None:
    await typed("run", "hello", "--session", unique, "--key", unique, "--detach")
    left = await typed("status", unique, "--json")
    assert (left.document["status"], left.document["progress"]) == ("running", None)
    assert left.document["session"] == unique
