"""Breakers from the command line: looked at, and held by hand."""

from pathlib import Path

import pytest
from temporalio.worker import Worker

from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.cli.conftest import Typed

WHERE = "Where is my order A-1003?"
WHY = ("--by", "ann", "--reason", "the shop asked for it")
PROFILE = """
system = "Answer the customer."
ladder = ["mistral:mistral-large-2512"]
[tools.look_up_order]
breaker = {by_tenant = true}
[tools.send_email]
"""


async def state(typed: Typed, name: str) -> str:
    found: str = (await typed("breakers", "show", name, "--json")).document["state"]
    return found


async def test_a_breaker_that_is_held_open_refuses_until_it_is_reset(
    typed: Typed, served: Worker, simulator: SimulatorClient, unique: str
) -> None:
    left = await typed("breakers", "force-open", "look_up_order", *WHY)
    assert (left.code, left.out) == (0, "look_up_order is held open, by ann\n")
    assert (await typed("run", WHERE, "--session", unique)).code == 0
    assert await simulator.calls("orders") == []
    shown = (await typed("breakers", "show", "look_up_order")).out
    assert "forced_open" in shown
    assert "the shop asked for it (ann)" in shown
    assert (await typed("breakers", "reset", "look_up_order", *WHY)).code == 0
    assert (await typed("run", WHERE, "--session", unique)).code == 0
    assert len(await simulator.calls("orders")) == 1


async def test_what_is_done_to_a_breaker_is_told_as_the_transition_that_it_caused(typed: Typed) -> None:
    first = (await typed("breakers", "disable", "create_order", *WHY, "--json")).document
    assert (first["name"], first["act"]["by"], first["act"]["reason"]) == ("create_order", "ann", WHY[3])
    assert (first["transition"]["before"], first["transition"]["after"]) == ("closed", "disabled")
    again = await typed("breakers", "disable", "create_order", *WHY)
    assert (again.code, again.out) == (0, "create_order was disabled already\n")
    assert (await typed("breakers", "reset", "create_order", *WHY)).out == "create_order is closed, by ann\n"
    assert await state(typed, "create_order") == "closed"


async def test_breakers_alone_lists_them(typed: Typed) -> None:
    assert "no tool or model has been called yet" in (await typed("breakers")).out
    await typed("breakers", "force-open", "gemini:gemini-2.5-pro", *WHY)
    plain, named = await typed("breakers", "--json"), await typed("breakers", "list", "--json")
    assert plain.document == named.document
    assert [one["state"] for one in plain.document["breakers"]] == ["forced_open"]
    assert "gemini:gemini-2.5-pro" in (await typed("breakers")).out
    group = (await typed("breakers", "--help")).out
    assert [word for word in ("list", "show", "force-open", "disable", "reset") if f" {word} " not in group] == []


async def test_one_that_has_not_been_called_is_closed(typed: Typed) -> None:
    left = await typed("breakers", "show", "send_email")
    assert (left.code, "closed" in left.out, "not been called yet" in left.err) == (0, True, True)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """With profiles of its own where the test asks for them: one that cannot be used, and one whose tool gives each
    tenant a breaker of its own."""
    if "by_tenant" not in request.fixturenames:
        return settings
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "split.toml").write_text(PROFILE)
    (folder / "broken.toml").write_text("system = 3")
    return settings.model_copy(update={"agents_dir": folder})


@pytest.fixture
def by_tenant(settings: Settings) -> Settings:
    return settings


async def test_a_tenant_s_own_breaker_is_named_with_the_tenant(typed: Typed, by_tenant: Settings) -> None:
    assert (await typed("breakers", "force-open", "look_up_order@acme", *WHY)).code == 0
    assert await state(typed, "look_up_order@acme") == "forced_open"
    (await typed("breakers", "force-open", "look_up_order", *WHY)).refuses(2, "breaker of its own", "tenant")
    (await typed("breakers", "force-open", "send_email@acme", *WHY)).refuses(2, "did you mean 'send_email'?")


@pytest.mark.parametrize("deed", [("show",), ("force-open", *WHY), ("disable", *WHY), ("reset", *WHY)])
async def test_an_unknown_name_is_answered_with_the_one_that_was_meant(typed: Typed, deed: tuple[str, ...]) -> None:
    (await typed("breakers", deed[0], "creat_order", *deed[1:])).refuses(2, "'creat_order'", "mean 'create_order'?")
    assert (await typed("breakers", "--json")).document["breakers"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("force-open", "create_order", "--by", "ann"), ("--reason",)),
        (("force-open", "create_order", "--reason", "why"), ("--by",)),
        (("disable", "create_order", "--by", "", "--reason", "why"), ("by",)),
        (("reset", "create_order", "--by", "ann", "--reason", ""), ("reason",)),
        (("reset", *WHY), ("NAME",)),
        (("opne", "create_order", *WHY), ("opne",)),
        (("--bogus",), ("--bogus",)),
    ],
)
async def test_it_is_refused_in_one_line(typed: Typed, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    (await typed("breakers", *arguments)).refuses(2, *words)


async def test_without_redis_nothing_is_held(typed: Typed) -> None:
    left = await typed("breakers", "force-open", "create_order", *WHY, REDIS_URL="redis://127.0.0.1:1/0")
    left.refuses(4, "127.0.0.1:1", "REDIS_URL")
