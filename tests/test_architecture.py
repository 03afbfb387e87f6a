"""Rules of the design that no linter knows. Which package may import which is held by import-linter (`make check`)."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client

from surefoot.settings import Settings
from surefoot.tools.registry import DESIGNS
from worker import composed
from workflows.sandbox import DEFINITIONS, PARTS, PASSED_THROUGH, runner

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("workflows", "activities", "surefoot")
ROOTS = ("worker", "starter")
LONGEST_MODULE = 300
"""Lines. A longer file has more than one reason to change."""

ENVIRONMENT_READERS = {
    "surefoot/settings.py": "knows the names",
    "surefoot/client/connection.py": "Temporal's own variables and profiles, read by Temporal's own reader",
    "surefoot/embedded/lending.py": "tells what Temporal's profiles give from what must be lent",
    "surefoot/embedded/binaries.py": "PATH, to find programs",
    "surefoot/embedded/simulator.py": "hands it on to a child process",
    "surefoot/embedded/stack.py": "hands it on to child processes",
    "surefoot/embedded/temporal.py": "hands it on to a child process",
}
CLOCKS_AND_DICE = {"time", "random", "secrets", "uuid", "socket", "threading", "subprocess"}
"""Modules whose answers differ from one replay to the next."""
SHOWS_THE_TIME = {"now", "utcnow", "today", "monotonic", "time"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Dotted names of modules, and of what is taken from them, wherever in a file they are imported when it runs."""
    for node in _running(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all within it, but for what only type checkers read."""
    yield node
    if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        for child in ast.iter_child_nodes(node):
            yield from _running(child)


def breaking(paths: list[Path], rule: Callable[[ast.AST], bool]) -> set[str]:
    """Files that hold a node which the rule is about."""
    return {named(path) for path in paths if any(map(rule, ast.walk(tree(path))))}


CHANGES = {"append", "add", "update", "pop", "popleft", "clear", "extend", "insert", "remove", "discard", "setdefault"}
"""Methods that change a collection in place."""


def _changed_in_place(module: ast.Module) -> Iterator[str]:
    """Names that the module's top level holds and something in it changes."""
    targets = [
        node.targets if isinstance(node, ast.Assign) else [node.target]
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
    ]
    held = {name.id for group in targets for target in group for name in ast.walk(target) if isinstance(name, ast.Name)}
    for node in ast.walk(module):
        if isinstance(node, ast.Global):
            yield from node.names
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            yield from held & {ast.unparse(node.value)}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            yield from held & {ast.unparse(node.func.value)}


def test_what_runs_share_in_a_worker_is_never_changed() -> None:
    """The parts of workflows are loaded once a worker: what they hold, every run sees."""
    assert {named(path): names for path in replayed() if (names := sorted(_changed_in_place(tree(path))))} == {}


def test_every_part_of_the_workflows_is_loaded_once_a_worker() -> None:
    modules_there = {path.stem for path in (ROOT / "workflows").glob("*.py")} - {"__init__"}
    assert {*PARTS} == {f"workflows.{name}" for name in modules_there - {*DEFINITIONS}}
    assert runner().restrictions.passthrough_modules >= {*PARTS}


def test_the_composition_roots_stand_alone_at_the_top() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} == set(ROOTS)
    importers = {named(path) for path in modules(*PACKAGES) if set(ROOTS) & set(imported(path))}
    assert importers == set()


def test_the_environment_is_read_in_one_place() -> None:
    def reads(node: ast.AST) -> bool:
        words = {"environ", "environb", "getenv", "load_client_connect_config"}
        return (isinstance(node, ast.Attribute) and node.attr in words) or (
            isinstance(node, ast.ImportFrom) and node.module == "os" and any(name.name in words for name in node.names)
        )

    assert breaking(modules(*PACKAGES), reads) == ENVIRONMENT_READERS.keys()


def replayed() -> list[Path]:
    """The workflows, and those of our modules that they use and the sandbox does not watch."""
    found = modules("workflows")
    for path in found:  # grows as it goes
        for name in imported(path):
            module = ROOT / Path(*name.split("."))
            for file in (module.with_suffix(".py"), module / "__init__.py"):
                if name.partition(".")[0] in PASSED_THROUGH and file.is_file() and file not in found:
                    found.append(file)
    return found


def test_what_is_replayed_neither_looks_at_a_clock_nor_throws_dice() -> None:
    def strays(node: ast.AST) -> bool:
        if isinstance(node, ast.Import):
            return bool(CLOCKS_AND_DICE & {alias.name.partition(".")[0] for alias in node.names})
        if isinstance(node, ast.ImportFrom):
            return (node.module or "").partition(".")[0] in CLOCKS_AND_DICE
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SHOWS_THE_TIME:
            return not (isinstance(node.func.value, ast.Name) and node.func.value.id == "workflow")
        return False

    assert len(replayed()) > len(modules("workflows"))
    assert breaking(replayed(), strays) == set()


def test_retry_policies_and_timeouts_have_a_name_in_one_module() -> None:
    def nameless(node: ast.AST) -> bool:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RetryPolicy":
            return True
        return isinstance(node, ast.keyword) and (node.arg or "").endswith("_timeout") and _is_span(node.value)

    assert breaking(modules("workflows"), nameless) == {"workflows/policies.py"}


def _is_span(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "timedelta"


def asked_for() -> set[str]:
    """Names of the activities that workflows call by reference, and the beginnings of those called by name."""
    found = set()
    for path in modules("workflows"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("workflow.execute_"):
                found.add(ast.unparse(node.args[0]))
    return found


async def test_the_worker_has_every_activity_that_workflows_ask_for(
    settings: Settings, temporal_client: Client
) -> None:
    async with composed(settings, temporal_client) as worker:
        served = worker.config()["activities"]
    methods = {getattr(one, "__qualname__", "") for one in served}
    by_reference = {name for name in asked_for() if "." in name and "'" not in name}
    assert len(by_reference) > 3
    assert by_reference <= methods
    assert asked_for() - by_reference == {"f'tool.{limits.name}'"}
    tools = {definition.name for one in served if (definition := activity._Definition.from_callable(one))}
    assert {f"tool.{design.name}" for design in DESIGNS} <= tools


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is_for(package: str) -> None:
    silent = [named(path) for path in modules(package) if path.read_text() and not ast.get_docstring(tree(path))]
    assert silent == []


def test_no_module_is_long() -> None:
    sources = [path for folder in PACKAGES for path in (ROOT / folder).rglob("*.*") if path.suffix != ".pyc"]
    lengths = {named(path): len(path.read_text().splitlines()) for path in sources}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_tests_use_the_real_thing_and_all_of_them_run() -> None:
    def evades(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr in {"skip", "skipif", "xfail", "importorskip"}
        return isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest")

    assert breaking(modules("tests"), evades) == set()
    assert [named(path) for path in modules("tests") if "unittest.mock" in set(imported(path))] == []
