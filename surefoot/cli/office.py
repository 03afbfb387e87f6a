"""The desk of operators, the list of breakers, and the profiles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from surefoot.cli.output import Answer, remark, table
from surefoot.cli.plain import public, when
from surefoot.errors import SurefootError
from surefoot.ports import GuardDesk
from surefoot.profiles import Profiles
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.opening import opened_store
from surefoot.settings import Settings
from surefoot.tools.registry import ToolRegistry


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[GuardDesk]:
    async with opened_store(settings) as store:
        yield RedisOffice(store, settings.key_prefix)


@asynccontextmanager
async def opened_profiles(settings: Settings) -> AsyncIterator[Profiles]:
    tools = ToolRegistry.from_settings(settings)
    try:
        yield Profiles(settings.agents_dir, tools, settings.fallback_model)
    finally:
        await tools.aclose()


async def breakers(settings: Settings) -> Answer:
    async with opened(settings) as office:
        found = await office.breakers()
    rows = [(one.name, one.state, one.recent_failures, when(one.open_until), one.reason) for one in found]
    headings = ("Breaker", "State", "Recent failures", "Open until", "Reason")
    return Answer({"breakers": public(found)}, [table(headings, rows, empty="no tool or model has been called yet")])


async def profiles(settings: Settings) -> Answer:
    """Those that this machine can use, and why it cannot use the others."""
    usable, unusable = [], {}
    async with opened_profiles(settings) as known:
        for name in known.names():
            try:
                usable.append(known.load(name))
            except SurefootError as error:
                unusable[name] = str(error)
    rows = [
        (one.name, ", ".join(one.ladder), ", ".join(tool.name for tool in one.tools), one.description) for one in usable
    ]
    shown = table(("Profile", "Models", "Tools", "What for"), rows, empty="no profile can be used here")
    remarks = [remark(f"{name} cannot be used: {why}") for name, why in unusable.items()]
    return Answer({"profiles": public(usable), "unusable": public(unusable)}, [shown], remarks)
