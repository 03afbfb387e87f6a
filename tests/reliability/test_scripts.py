"""The Lua files themselves: short, said what they take, and one slot a script."""

from pathlib import Path

import pytest
from redis.crc import key_slot

import surefoot.reliability
from surefoot.contracts.budgets import BudgetWindow
from surefoot.contracts.tools import Claim
from surefoot.ports import Fate
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.scripts import script
from surefoot.reliability.store import Step
from tests.reliability.given import LEASE, QUICK, charge, held, reservation, session, tenant

LUA = Path(surefoot.reliability.__file__).parent / "lua"
TRANSITIONS = sorted(path for path in LUA.glob("*/*.lua") if path.name != "common.lua")


@pytest.mark.parametrize("path", TRANSITIONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_script_is_short_and_says_what_it_takes_and_gives(path: Path) -> None:
    text = path.read_text()
    header = [line for line in text.splitlines() if line.startswith("--")]
    assert 7 <= len(text.splitlines()) <= 60
    for word in ("KEYS", "ARGV", "Reply"):
        assert any(word in line for line in header), f"{path} does not say its {word}"


def test_every_script_ships_with_its_clock_and_its_common_part() -> None:
    for path in TRANSITIONS:
        source = script(f"{path.parent.name}/{path.stem}").source
        assert source.startswith((LUA / "clock.lua").read_text())
        assert source.endswith(path.read_text())


def _keys(step: Step[object]) -> list[str]:
    count = int(step.words[2])
    return [str(word) for word in step.words[3 : 3 + count]]


@pytest.mark.parametrize("name", ["acme", "a}b{c", "}{", "a:b", "Zürich", "gemini:gemini-2.5-pro"])
async def test_the_keys_of_each_script_share_a_slot(guards: RedisGuards, name: str) -> None:
    scopes = (session(subject=name, window=BudgetWindow.DAY), tenant(10**9))
    hold = held(await guards.reserve(reservation("h{1}", 1, scopes=scopes))).model_copy(update={"tenant": name})
    claim = Claim(key=name, owner="run/1", fence=1)
    steps: list[Step[object]] = [
        guards.budget.send_step(hold, 1),
        guards.budget.settle_step(charge(hold, 1)),
        guards.breaker.admit_step(name, QUICK, "a"),
        guards.breaker.status_step(name),
        guards.ledger.claim_step(name, owner="run/1", attempt=1, lease=LEASE, mark_sent=True, lands_within=LEASE),
        guards.ledger.complete_step(claim, None),
        guards.ledger.fail_step(claim, Fate.CLEAR, reached=True),
    ]
    for step in steps:
        assert len({key_slot(key.encode()) for key in _keys(step)}) == 1, _keys(step)
        assert len(set(_keys(step))) == len(_keys(step))


async def test_names_that_look_alike_have_keys_of_their_own(guards: RedisGuards) -> None:
    names = ["a", "A", "a}", "%7D", "}", "a%7D"]
    keys = {_keys(guards.breaker.status_step(name))[0] for name in names}
    assert len(keys) == len(names)
