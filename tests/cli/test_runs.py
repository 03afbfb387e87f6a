"""Runs from the command line, on a real worker and the simulator's models."""

import signal

from temporalio.worker import Worker

from surefoot.client import SurefootClient
from surefoot.contracts.runs import RunStatus
from surefoot.idempotency import workflow_id
from tests.cli.conftest import Launch, Typed
from tests.support.waiting import until

WHERE = "Where is my order A-1003?"
PUBLISH = "Summarise the news about heat pumps and publish it"


async def test_a_run_prints_its_answer_and_nothing_else_on_standard_output(
    starter: Typed, served: Worker, unique: str
) -> None:
    left = await starter("run", WHERE, "--session", unique, "--key", unique)
    assert left.code == 0
    assert "A-1003" in left.out
    assert left.out.count("\n") == 1
    assert f"run:default:{unique}" in left.err
    assert "fresh" in left.err


async def test_json_is_one_document_with_the_result(typed: Typed, served: Worker, unique: str) -> None:
    first = await typed("run", WHERE, "--session", unique, "--key", unique, "--json")
    again = await typed("run", WHERE, "--session", unique, "--key", unique, "--json")
    assert (first.code, first.err, first.document["idempotencyStatus"]) == (0, "", "fresh")
    assert first.document["toolsCalled"] == ["look_up_order"]
    assert first.document["usage"]["costNanos"] > 0
    assert again.document == first.document | {"idempotencyStatus": "cache_hit"}


async def test_the_same_key_with_another_prompt_is_refused(typed: Typed, served: Worker, unique: str) -> None:
    await typed("run", WHERE, "--session", unique, "--key", unique)
    (await typed("run", "Something else", "--session", unique, "--key", unique)).refuses(2, "another prompt")


async def test_following_shows_turns_and_tools_on_standard_error(typed: Typed, served: Worker, unique: str) -> None:
    left = await typed("run", WHERE, "--session", unique, "--follow")
    assert "A-1003" in left.out
    steps = [line for line in left.err.splitlines() if line.startswith("turn 1: ")]
    assert [line for line in steps if "look_up_order" in line]


async def test_a_detached_run_is_waited_for_later(typed: Typed, served: Worker, unique: str) -> None:
    left = await typed("run", WHERE, "--session", unique, "--key", unique, "--detach")
    assert left.out == f"run:default:{unique}\n"
    by_key, by_id = await typed("result", unique), await typed("result", f"run:default:{unique}")
    assert by_key.out == by_id.out
    assert "A-1003" in by_key.out


async def test_runs_are_listed_and_shown(typed: Typed, served: Worker, unique: str) -> None:
    await typed("run", WHERE, "--session", unique, "--key", unique)

    async def listed() -> bool:
        return unique in (await typed("runs", "--session", unique, "--status", "completed")).out

    await until(listed)
    status = await typed("status", unique)
    assert "completed" in status.out
    assert "look_up_order" in status.out
    document = (await typed("status", unique, "--json")).document
    assert (document["status"], document["progress"]["result"]["toolsCalled"]) == ("completed", ["look_up_order"])


async def test_a_history_tells_what_a_run_did(typed: Typed, served: Worker, unique: str) -> None:
    await typed("run", WHERE, "--session", unique, "--key", unique)
    left = await typed("history", unique)
    assert left.code == 0
    assert "run started" in left.out.splitlines()[0]
    assert "tool.look_up_order" in left.out
    document = (await typed("history", unique, "--json")).document
    assert (document["run"], document["runStatus"]) == (f"run:default:{unique}", "completed")
    (await typed("history", "nobody")).refuses(2, "run:default:nobody")


async def test_the_guards_show_what_a_run_did(typed: Typed, served: Worker, unique: str) -> None:
    spent = (await typed("run", WHERE, "--session", unique, "--json")).document["usage"]["costNanos"]
    (scope,) = (await typed("budget", "--session", unique, "--json")).document["scopes"]
    assert (scope["settled"], scope["held"], scope["limit"]) == (spent, 0, 500_000_000)
    breakers = {one["name"]: one["state"] for one in (await typed("breakers", "--json")).document["breakers"]}
    assert breakers["look_up_order"] == "closed"
    assert "look_up_order" in (await typed("breakers")).out


async def test_profiles_are_listed_with_their_tools(typed: Typed) -> None:
    left = await typed("profiles")
    assert "publish_summary" in left.out
    assert {one["name"] for one in (await typed("profiles", "--json")).document["profiles"]} >= {"support", "research"}


async def test_a_run_that_asks_a_human_ends_with_five_where_nobody_waits(
    typed: Typed, served: Worker, unique: str
) -> None:
    ours, run = ("--tenant", unique), f"run:{unique}:k"
    key = ("--session", "s", "--key", "k", *ours)
    left = await typed("run", PUBLISH, "--profile", "research", *key, "--no-wait", "--json")
    assert (left.code, left.document["run"], left.document["waitingFor"]) == (5, run, "approval")
    (asked,) = left.document["approvals"]

    async def open_ones() -> list[str]:
        found = (await typed("approvals", *ours, "--json")).document["approvals"]
        return [one["request"]["id"] for one in found if one["run"] == run]

    assert await until(open_ones) == [asked["id"]]
    assert asked["tool"] in (await typed("approvals", *ours)).out
    assert (await typed("reject", run, asked["id"], "--by", "ann", "--feedback", "shorter")).code == 0
    again = await typed("result", "k", *ours, "--no-wait")
    assert (again.code, again.out) == (5, "")
    assert "starter.py approve" in again.err
    edit = '{"title": "Heat", "summary": "Pumps."}'
    assert "approved publish_summary" in (await typed("approve", "k", *ours, "--by", "bob", "--edit", edit)).out
    assert (await typed("result", run)).code == 0
    (await typed("approve", run, "--by", "bob")).refuses(2, "no open approval")


async def test_a_cancelled_run_ends_with_six(typed: Typed, served: Worker, unique: str) -> None:
    await typed("run", PUBLISH, "--profile", "research", "--session", unique, "--key", unique, "--no-wait")
    assert (await typed("cancel", unique)).code == 0
    (await typed("result", unique)).refuses(6, "cancelled")
    (await typed("cancel", unique)).refuses(2, "ended already")


async def test_ctrl_c_leaves_the_run_going_and_says_how_to_come_back(
    launch: Launch, served: Worker, unique: str, client: SurefootClient
) -> None:
    process = await launch("run", PUBLISH, "--profile", "research", "--session", unique, "--key", unique)
    assert process.stderr is not None
    question = (await process.stderr.readline()).decode()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    run = workflow_id("default", unique)
    assert f"starter.py approve {run}" in question
    assert (process.returncode, out, err.count(b"\n")) == (130, b"", 1)
    assert f"starter.py result {run}" in err.decode()
    assert (await client.describe(run)).status is RunStatus.RUNNING
