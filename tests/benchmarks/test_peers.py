"""What the comparison with other agents on Temporal rests on."""

import ast
from pathlib import Path

import pytest

from benchmarks.peers.__main__ import PEERS, held_to_the_best
from benchmarks.peers.installed import versions
from benchmarks.peers.script import asked_next
from benchmarks.report import ROOT, Result

OURS = ("surefoot", "workflows", "activities", "worker", "starter")


def test_the_model_of_a_peer_asks_for_what_the_workload_says() -> None:
    small = {page: {"page": page, "size": 200} for page in (1, 2, 3)}
    assert asked_next("R3", 0) == [small[1], small[2]]
    assert asked_next("R3", 2) == [small[3]]
    assert asked_next("R3", 3) == asked_next("L50", 50) == []
    assert asked_next("L50", 49) == [{"page": 50, "size": 5_000}]


@pytest.mark.parametrize("program", [*PEERS.values(), "pydantic_ai_continued"])
def test_the_worker_of_a_peer_runs_without_surefoot(program: str) -> None:
    seen: set[str] = set()
    left = {f"benchmarks.peers.{program}.__main__"}
    while left:
        seen |= left
        left = {name for module in left for name in _imported(_source(module))} - seen
    assert "benchmarks.workloads" in seen
    assert {name for name in seen if name.split(".")[0] in OURS} == set()


def test_an_environment_that_is_missing_is_told_with_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make bench-peers"):
        versions(tmp_path)


def test_surefoot_is_held_to_the_best_of_its_peers() -> None:
    latency = {"surefoot": 1.2, "Pydantic AI": 1.45, "OpenAI Agents": 1.48}
    rate = {"surefoot": 0.6, "Pydantic AI": 0.63, "OpenAI Agents": 0.67}
    results = [Result(f"p50, {name} to floor", value, "x floor") for name, value in latency.items()]
    results += [Result(f"throughput, {name} to floor", value, "x floor", at_least=True) for name, value in rate.items()]
    held = {result.name: (result.limit, result.ok) for result in held_to_the_best(results)}
    assert held["p50, surefoot to floor"] == (1.45, True)
    assert held["throughput, surefoot to floor"] == (0.67, False)
    assert held["p50, Pydantic AI to floor"] == (None, True)


def _source(module: str) -> ast.Module:
    """Of a module of the project; nothing for others."""
    path = ROOT.joinpath(*module.split("."))
    there = next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)
    return ast.parse(there.read_text() if there else "")


def _imported(source: ast.Module) -> set[str]:
    """Modules, and what may be one, with the packages that they are in."""
    nodes = list(ast.walk(source))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names | {name.rpartition(".")[0] for name in names if "." in name}
