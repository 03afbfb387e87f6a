"""Several workers' guards on one Redis, whose time is the test's and whose replies get lost when the test says."""

import asyncio
import hashlib
import itertools
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from importlib.resources import files
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, RuleBasedStateMachine, run_state_machine_as_test

from surefoot.contracts.budgets import HoldTimes
from surefoot.errors import StoreUnavailable
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.scripts import Script
from surefoot.reliability.store import Row, Step, Store

T = TypeVar("T")
Entered: TypeAlias = T | MultipleResults[T]
"""What a rule adds to a bundle: one thing, or none."""

SETTINGS = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),  # a failure is repeatable; add Phase.shrink to make it short
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
CLIENTS = 3
NOON = 1_763_640_000_000
"""Where every example's clock begins: noon of a day in November 2025, in ms since 1970."""

PRODUCT_CLOCK = (files("surefoot.reliability") / "lua" / "clock.lua").read_text(encoding="utf-8")
TEST_CLOCK = """-- The time is the last argument, which no other line sees.
local SAID = tonumber(table.remove(ARGV))
local function now()
  return SAID
end
"""


@dataclass
class Clock:
    """The time that the machine says it is."""

    at: int = NOON

    def __call__(self) -> int:
        return self.at


@cache
def stepped(script: Script) -> Script:
    """The product's script, but for its clock."""
    if not script.source.startswith(PRODUCT_CLOCK):
        raise ValueError(f"{script.name!r} does not begin with clock.lua")
    source = TEST_CLOCK + script.source.removeprefix(PRODUCT_CLOCK)
    return Script(script.name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


class SteppedStore(Store):
    """Runs the product's scripts at the clock's time, and loses the reply of a batch when it is told to."""

    clock = Clock()
    lose: int | None = None
    """How many replies arrive before the one that is lost."""

    async def send(self, steps: Sequence[Step[Any]]) -> list[Row]:
        rows = await super().send([self._at_the_time(step) for step in steps])
        if self.lose is None:
            return rows
        self.lose -= 1
        if self.lose < 0:
            self.lose = None
            raise StoreUnavailable("a reply was lost on purpose")
        return rows

    def _at_the_time(self, step: Step[Any]) -> Step[Any]:
        if step.script is None:
            return step
        script = stepped(step.script)
        return replace(step, words=("EVALSHA", script.sha, *step.words[2:], self.clock.at), script=script)


@dataclass(frozen=True)
class Way:
    """How a call goes: by which client, whether a reply is lost, and what its caller does then."""

    client: int
    lose: int | None = None
    """None, or the number of the batch whose reply is lost."""
    dies: bool = False
    """The caller never asks again."""
    repeats: int = 1
    """The client that asks again."""


clients = st.integers(0, CLIENTS - 1)
ways = st.one_of(
    st.builds(Way, client=clients),
    st.builds(Way, client=clients, lose=st.integers(0, 1), dies=st.booleans(), repeats=clients),
)


class Fleet:
    """Clients of one Redis, on a loop of their own. A new world has other keys."""

    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._stores = [self._connect() for _ in range(CLIENTS)]
        self._worlds = itertools.count()
        self._guards: list[RedisGuards] = []
        self.prefix = ""
        self._name = uuid.uuid4().hex[:8]

    def _connect(self) -> SteppedStore:
        store = SteppedStore.connect(self._url, timeout=timedelta(seconds=5))
        store.clock = self.clock
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for store in self._stores:
            self.run(store.close())
        self._loop.close()

    def new_world(self, times: HoldTimes | None = None) -> None:
        self.clock.at = NOON
        self.prefix = f"{self._name}-{next(self._worlds)}"
        self._guards = [RedisGuards(store, self.prefix, hold_times=times) for store in self._stores]

    def guards(self, client: int) -> RedisGuards:
        return self._guards[client]

    def run(self, waiting: Awaitable[T]) -> T:
        return self._loop.run_until_complete(waiting)

    def ask(self, act: Callable[[RedisGuards], Awaitable[T]], client: int = 0) -> T:
        return self.run(act(self._guards[client]))

    def do(self, act: Callable[[RedisGuards], Awaitable[T]], way: Way) -> "T | Lost":
        """The answer, which a repetition gives too; or that no answer came, if the caller died waiting for it."""
        store = self._stores[way.client]
        store.lose = way.lose
        try:
            answer = self.ask(act, way.client)
        except StoreUnavailable:
            return Lost() if way.dies else self.ask(act, way.repeats)
        finally:
            store.lose = None
        return answer


@dataclass(frozen=True)
class Lost:
    """The caller died before its answer came."""


class FleetMachine(RuleBasedStateMachine):
    """A machine whose rules act through a fleet."""

    fleet: Fleet


def hold(machine: type[FleetMachine], url: str, how: settings = SETTINGS) -> None:
    """Try a machine's rules in many orders on the Redis of a URL."""
    with Fleet(url) as fleet:
        run_state_machine_as_test(type(machine.__name__, (machine,), {"fleet": fleet}), settings=how)
