"""Running again from the command line: a failed run under its key, and a run from one of its turns."""

import json

import pytest
from temporalio.worker import Worker

from surefoot.client import SurefootClient
from surefoot.simulator.client import SimulatorClient
from tests.cli.conftest import Typed

ORDER = '[[call create_order {"product": "mug", "quantity": 3}]] Thank you.'
PUBLISH = "Summarise the news about heat pumps and publish it"
WHY = ("--by", "ann", "--reason", "the price list was wrong")


@pytest.fixture
async def failed(typed: Typed, served: Worker, simulator: SimulatorClient, unique: str) -> str:
    """The key of a run that placed its order and then failed."""
    for model in ("gemini", "mistral"):
        await simulator.fault(model, "status", status=400, count=1, skip=int(model == "gemini"))
    left = await typed("run", ORDER, "--profile", "operations", "--session", unique, "--key", unique)
    assert left.code == 1, left
    return unique


async def test_a_failed_run_is_retried_under_its_key_and_repeats_no_effect(
    typed: Typed, failed: str, simulator: SimulatorClient
) -> None:
    left = await typed("retry", failed, *WHY, "--json")
    assert (left.code, left.err, left.document["idempotencyStatus"]) == (0, "", "fresh")
    assert left.document["toolsCalled"] == ["create_order"]
    again = await typed("retry", f"run:default:{failed}", *WHY)
    assert (again.code, "cache_hit" in again.err) == (0, True)
    assert len(await simulator.effects("orders")) == 1


async def test_a_retry_can_be_left_and_waited_for_later(typed: Typed, failed: str) -> None:
    left = await typed("retry", failed, *WHY, "--detach")
    assert (left.code, left.out) == (0, f"run:default:{failed}\n")
    assert f"starter.py result run:default:{failed}" in left.err
    assert (await typed("result", failed)).code == 0


async def test_who_had_a_run_retried_and_why_is_kept_and_shown(typed: Typed, failed: str) -> None:
    assert "Retried" not in (await typed("status", failed)).out
    assert (await typed("retry", failed, *WHY)).code == 0
    why = {"by": "ann", "reason": "the price list was wrong"}
    told = "by ann: the price list was wrong"
    assert f"Retried  {told}" in (await typed("status", failed)).out
    assert (await typed("status", failed, "--json")).document["retried"] == why
    assert f"retried {told}" in (await typed("history", failed)).out.splitlines()[0]
    assert (await typed("history", failed, "--json")).document["retried"] == why


async def test_a_retry_that_asks_a_human_ends_as_a_result_does(typed: Typed, served: Worker, unique: str) -> None:
    await typed("run", PUBLISH, "--profile", "research", "--key", unique, "--no-wait")
    assert (await typed("cancel", unique)).code == 0
    assert (await typed("result", unique)).code == 6
    assert (await typed("retry", unique, *WHY, "--no-wait")).code == 5
    (await typed("retry", unique, *WHY, "--no-wait", "--detach")).refuses(2, "--detach", "--no-wait")


async def test_a_run_is_reset_to_a_turn_and_repeats_no_effect(
    typed: Typed, served: Worker, simulator: SimulatorClient, client: SurefootClient, unique: str
) -> None:
    await typed("run", ORDER, "--profile", "operations", "--key", unique)
    calls = len(await simulator.calls("gemini"))
    left = await typed("reset", unique, "--to", "1", *WHY)
    assert (left.code, left.out) == (0, f"run:default:{unique} begins anew from turn 1, by ann\n")
    assert (await typed("result", unique)).code == 0
    assert len(await simulator.calls("gemini")) == 2 * calls
    assert len(await simulator.effects("orders")) == 1
    history = await client.temporal.get_workflow_handle(f"run:default:{unique}").fetch_history()
    assert "the price list was wrong (ann)" in str(
        [event for event in history.events if event.HasField("workflow_task_failed_event_attributes")]
    ), "the reason is kept"
    document = (await typed("reset", unique, "--to", "2", *WHY, "--json")).document
    assert (document["run"], document["turn"], document["by"]) == (f"run:default:{unique}", 2, "ann")
    assert (await typed("result", unique)).code == 0
    (await typed("reset", unique, "--to", "9", *WHY)).refuses(2, "has begun 2 turns")


async def test_an_old_approval_does_not_open_the_gate_after_a_reset(typed: Typed, served: Worker, unique: str) -> None:
    await typed("run", PUBLISH, "--profile", "research", "--key", unique, "--no-wait")
    assert (await typed("approve", unique, "--by", "bob")).code == 0
    assert (await typed("result", unique)).code == 0
    assert (await typed("reset", unique, "--to", "1", *WHY)).code == 0
    assert (await typed("result", unique, "--no-wait")).code == 5
    help = " ".join((await typed("reset", "--help")).out.split())
    assert "Approvals given before are not taken over" in help
    assert "Effects are not repeated" in help


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("retry", "nobody", *WHY), ("run:default:nobody", "not known")),
        (("reset", "nobody", "--to", "1", *WHY), ("run:default:nobody", "not known")),
        (("retry", "k", "--by", "ann"), ("--reason",)),
        (("retry", "k", "--by", " ", "--reason", ""), ("reason",)),
        (("reset", "k", "--to", "0", *WHY), ("--to",)),
        (("reset", "k", "--to", "1", "--by", "ann"), ("--reason",)),
        (("reset", "k", "--to", "1", "--by", "", "--reason", "why"), ("by",)),
        (("reset", "k", "--to", "1", "--by", "ann", "--reason", "x" * 1001), ("reason",)),
    ],
)
async def test_it_is_refused_in_one_line(typed: Typed, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    (await typed(*arguments)).refuses(2, *words)


async def test_a_retry_that_finds_nothing_says_so_in_json(typed: Typed) -> None:
    error = json.loads((await typed("retry", "nobody", *WHY, "--json")).err)["error"]
    assert (error["type"], error["exitCode"]) == ("NotFound", 2)
