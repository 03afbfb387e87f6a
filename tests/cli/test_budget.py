"""Budgets from the command line: shown, set, topped up and begun anew, each act kept with who and why."""

from pathlib import Path

import pytest
from temporalio.worker import Worker

from surefoot.cli.books import shown
from surefoot.cli.money import nanos
from surefoot.cli.output import Rows
from surefoot.contracts.budgets import ScopeKind, ScopeStatus
from surefoot.errors import InvalidAmount
from surefoot.settings import Settings
from tests.cli.conftest import Typed

WHERE = "Where is my order A-1003?"
WHY = ("--by", "ann", "--reason", "the work is worth it")
ON = ("--session", "s1")
PROFILE = """
system = "Answer the customer."
ladder = ["mistral:mistral-large-2512"]
[tools.look_up_order]
[budgets.session]
limit = "0.00001"
[budgets.user]
limit = "1.00"
window = "day"
[budgets.tenant]
limit = "9.00"
"""
DOLLAR = 1_000_000_000


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a profile whose session cannot pay for a call, and that limits users and tenants too."""
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "support.toml").write_text(PROFILE)
    return settings.model_copy(update={"agents_dir": folder})


async def limit(typed: Typed, *whose: str) -> int:
    scopes = (await typed("budget", "show", *whose, "--json")).document["scopes"]
    found: int = scopes[0]["limit"]
    return found


async def test_a_topped_up_session_goes_on_where_it_was_refused(typed: Typed, served: Worker, unique: str) -> None:
    ask = ("run", WHERE, "--session", unique, "--key", unique)
    assert (await typed(*ask)).code == 3
    left = await typed("budget", "top-up", "0.25", "--session", unique, *WHY)
    assert (left.code, "$0.25001" in left.out) == (0, True)
    again = await typed("retry", unique, *WHY)
    assert (again.code, "A-1003" in again.out) == (0, True)
    shown = (await typed("budget", "--session", unique)).out
    assert [word for word in ("$0.25 more", "ann", "the work is worth it") if word not in shown] == []


@pytest.mark.parametrize("unknown", [0, 7 * DOLLAR])
def test_what_is_charged_without_being_known_is_told_apart(unknown: int) -> None:
    scope = ScopeStatus(
        kind=ScopeKind.SESSION, subject="s", limit=9 * DOLLAR, soft_line=8 * DOLLAR, settled=8 * DOLLAR, held=0
    )
    found = shown([scope.model_copy(update={"unknown": unknown})])
    assert isinstance(found, Rows)
    assert ("Of it unknown" in found.headings) is bool(unknown)
    assert ("$7.00" in found.cells[0]) is bool(unknown)
    assert len(found.headings) == len(found.cells[0])


async def test_a_limit_is_set_by_hand_and_given_back(typed: Typed) -> None:
    left = await typed("budget", "set", *ON, "0.75", *WHY, "--json")
    assert (left.code, left.document["scope"]["limit"]) == (0, 75 * DOLLAR // 100)
    assert (left.document["act"]["by"], left.document["act"]["reason"]) == ("ann", "the work is worth it")
    assert (await typed("budget", "set", *ON, "0", *WHY)).code == 0
    assert await limit(typed, *ON) == 0
    await typed("budget", "set", *ON, "profile", *WHY)
    assert await limit(typed, *ON) == 10_000
    document = (await typed("budget", *ON, "--json")).document
    assert [(one["act"], one["amount"]) for one in document["acts"]] == [
        ("set", None),
        ("set", 0),
        ("set", 750_000_000),
    ]
    assert "limit of the profile" in (await typed("budget", *ON)).out


async def test_a_reset_session_has_spent_nothing(typed: Typed, served: Worker, unique: str) -> None:
    whose = ("--session", unique)
    await typed("budget", "set", *whose, "0.50", *WHY)
    spent = (await typed("run", WHERE, *whose, "--json")).document["usage"]["costNanos"]
    left = await typed("budget", "reset", *whose, *WHY, "--json")
    assert spent > 0
    assert (left.code, left.document["scope"]["settled"]) == (0, 0)
    (act, _) = (await typed("budget", *whose, "--json")).document["acts"]
    assert (act["act"], act["amount"], act["by"]) == ("reset", spent, "ann")


async def test_users_and_tenants_have_books_of_their_own(typed: Typed) -> None:
    await typed("budget", "top-up", "1", "--user", "u1", "--tenant", "acme", *WHY)
    await typed("budget", "top-up", "1", "--tenant", "acme", *WHY)
    assert await limit(typed, "--user", "u1", "--tenant", "acme") == 2 * DOLLAR
    assert await limit(typed, "--user", "u1") == DOLLAR
    assert await limit(typed, "--tenant", "acme") == 10 * DOLLAR
    assert await limit(typed) == 9 * DOLLAR


AMOUNTS = ["nan", "NaN", "inf", "Infinity", "-inf", "1e3", "0.1234567891", "9007199.254740993", "9" * 400, "", "1,5"]
AMOUNTS += ["1_0", "\uff10.\uff15", " 1", "0.5 ", "$1", "0x1", "."]


@pytest.mark.parametrize("amount", AMOUNTS)
async def test_an_amount_that_makes_no_sense_is_refused_in_one_line_and_changes_nothing(
    typed: Typed, amount: str
) -> None:
    for deed in ("set", "top-up"):
        (await typed("budget", deed, *ON, *WHY, "--", amount)).refuses(2, "'")
    document = (await typed("budget", *ON, "--json")).document
    assert (document["acts"], document["scopes"][0]["limit"]) == ([], 10_000)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("set", *ON, *WHY, "--", "-5"), ("'-5'", "negative")),
        (("top-up", *ON, *WHY, "-5"), ("-5",)),
        (("top-up", *ON, *WHY, "0"), ("'0'", "nothing")),
        (("top-up", *ON, *WHY, "9007199.25474099"), ("2**53",)),
        (("top-up", *WHY, "1"), ("--session", "--user", "--tenant")),
        (("top-up", *ON, "--user", "u", *WHY, "1"), ("one scope",)),
        (("top-up", *ON, "1", "--by", "ann"), ("--reason",)),
        (("reset", *ON, "--reason", "why"), ("--by",)),
        (("reset", *ON, "--by", "", "--reason", "why"), ("by",)),
        (("reset", *WHY), ("--session", "--user", "--tenant")),
        (("set", *ON, *WHY), ("LIMIT",)),
        (("--session", "s1", "reset", *WHY), ("--by",)),
        (("set", "--session", "", "1", *WHY), ("subject",)),
        (("set", *ON, "1", *WHY, "--profile", "suport"), ("mean 'support'?",)),
    ],
)
async def test_it_is_refused_in_one_line(typed: Typed, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    (await typed("budget", *arguments)).refuses(2, *words)
    assert (await typed("budget", *ON, "--json")).document["acts"] == []


async def test_without_redis_an_act_ends_with_four_and_says_that_it_may_have_been_done(typed: Typed) -> None:
    left = await typed("budget", "top-up", *ON, "1", *WHY, REDIS_URL="redis://127.0.0.1:1/0")
    left.refuses(4, "127.0.0.1:1", "may have been done")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0.1", 100_000_000), ("0.000000001", 1), ("9007199.254740992", 2**53), (".5", 500_000_000), ("3.", 3 * DOLLAR)],
)
def test_dollars_are_read_exactly(text: str, amount: int) -> None:
    assert nanos(text) == amount


def test_no_amount_of_text_is_taken_for_money() -> None:
    with pytest.raises(InvalidAmount, match="too large") as refused:
        nanos("1" + "0" * 1_000_000)
    assert len(str(refused.value)) < 200
