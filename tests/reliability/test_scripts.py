"""The Lua files themselves: short, said what they take, and keys that cannot be mistaken for each other."""

from pathlib import Path

import pytest

import surefoot.reliability
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.scripts import script
from surefoot.reliability.store import Step

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


async def test_names_that_look_alike_have_keys_of_their_own(guards: RedisGuards) -> None:
    names = ["a", "A", "a}", "%7D", "}", "a%7D"]
    keys = {_keys(guards.breaker.status_step(name))[0] for name in names}
    assert len(keys) == len(names)
