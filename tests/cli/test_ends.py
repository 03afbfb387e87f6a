"""Runs that end without an answer: the exit code says how, the error what."""

import json
from pathlib import Path

import pytest
from temporalio.worker import Worker

from surefoot.settings import Settings
from tests.cli.conftest import Typed
from tests.support.waiting import until

WHERE = "Where is my order A-1003?"
PROFILE = """
system = "Answer the customer."
ladder = ["mistral:mistral-large-2512"]
[tools.look_up_order]
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a profile that cannot pay for a call, and one that has a single turn."""
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "poor.toml").write_text(PROFILE + '[budgets.session]\nlimit = "0.00001"\n')
    (folder / "brief.toml").write_text(PROFILE + "[limits]\nmax_turns = 1\n")
    return settings.model_copy(update={"agents_dir": folder})


async def test_a_run_without_an_answer_ends_with_one(typed: Typed, served: Worker, unique: str) -> None:
    left = await typed("run", WHERE, "--profile", "brief", "--session", unique, "--key", unique)
    left.refuses(1, "the run failed", "after 1 turns", "TurnsExhausted")


async def test_a_run_that_its_budget_refuses_ends_with_three(typed: Typed, served: Worker, unique: str) -> None:
    left = await typed("run", WHERE, "--profile", "poor", "--session", unique, "--json")
    error = json.loads(left.err)["error"]
    assert (left.code, left.out) == (3, "")
    assert (error["type"], error["exitCode"]) == ("BudgetExhausted", 3)
    assert error["failure"]["partial"]["usage"]["cost"] == "0.00"
    assert error["failure"]["scope"]["limit"] == 10_000


async def test_a_failed_run_leaves_an_incident_that_a_person_ends(typed: Typed, served: Worker, unique: str) -> None:
    await typed("run", WHERE, "--profile", "brief", "--session", unique, "--key", unique)

    async def found() -> list[str]:
        listed = (await typed("incidents", "list", "--kind", "run_failed", "--limit", "1000", "--json")).document[
            "incidents"
        ]
        return [one["id"] for one in listed if unique in one["subject"]]

    (incident,) = await until(found)

    async def written() -> bool:
        return (await typed("incidents", "show", incident, "--json")).document["runbook"] is not None

    await until(written)
    shown = (await typed("incidents", "show", incident)).out
    assert "1 occurrence from" in shown
    assert f"./starter.py result run:default:{unique}" in shown
    assert incident in (await typed("incidents", "list", "--state", "open", "--limit", "1000")).out
    ended = await typed("incidents", "resolve", incident, "--by", "ann", "--reason", "it was a test")
    assert (ended.code, ended.out) == (0, f"resolved {incident}, by ann\n")
    assert (await typed("incidents", "resolve", incident, "--by", "bob", "--reason", "again")).code == 2
    assert "by ann: it was a test" in (await typed("incidents", "show", incident)).out
