"""Breakers: looking at one, and holding it by hand."""

from collections.abc import Awaitable, Callable

from rich.console import Group
from rich.text import Text

from surefoot.cli.deeds import act, done
from surefoot.cli.naming import names
from surefoot.cli.office import opened
from surefoot.cli.output import Answer, remark, words
from surefoot.cli.plain import one_line, public, when
from surefoot.contracts.breakers import BreakerState, BreakerStatus, Transition
from surefoot.contracts.guardrails import Act
from surefoot.ports import GuardDesk, GuardOffice
from surefoot.settings import Settings

Deed = Callable[[GuardDesk, str, Act], Awaitable[Transition | None]]


async def show(settings: Settings, name: str) -> Answer:
    known = await names(settings)
    async with opened(settings) as office:
        used = {one.name: one for one in await office.breakers()}
    known.check(name, list(used))
    status = used.get(name)
    shown = status or BreakerStatus(name=name, state=BreakerState.CLOSED)
    return Answer(public(shown), [_facts(shown)], [] if status else [remark("it has not been called yet")])


def _facts(status: BreakerStatus) -> Group:
    facts = {
        "Breaker": status.name,
        "State": status.state.value,
        "Recent failures": str(status.recent_failures),
        "Open until": when(status.open_until),
        "Reason": status.reason,
        "Episode": status.episode,
    }
    return Group(*(Text(f"{name:<17}{one_line(value)}") for name, value in facts.items() if value))


async def force_open(settings: Settings, name: str, by: str, reason: str) -> Answer:
    return await _held(settings, name, act(by, reason), lambda desk, *asked: desk.force_open(*asked), "held open")


async def disable(settings: Settings, name: str, by: str, reason: str) -> Answer:
    return await _held(settings, name, act(by, reason), lambda desk, *asked: desk.disable(*asked), "disabled")


async def reset(settings: Settings, name: str, by: str, reason: str) -> Answer:
    return await _held(settings, name, act(by, reason), lambda desk, *asked: desk.reset_breaker(*asked), "closed")


async def _held(settings: Settings, name: str, said: Act, deed: Deed, outcome: str) -> Answer:
    known = await names(settings)
    async with opened(settings) as desk:
        known.check(name, await _used(desk))
        transition = await done(lambda: deed(desk, name, said))
    told = f"{name} is {outcome}, by {said.by}" if transition else f"{name} was {outcome} already"
    return Answer({"name": name, "act": public(said), "transition": public(transition)}, [words(told)])


async def _used(office: GuardOffice) -> list[str]:
    return [one.name for one in await office.breakers()]
