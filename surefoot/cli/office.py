"""What the guards know: breakers, budgets; and the profiles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from surefoot.cli.output import Answer, remark, table
from surefoot.cli.plain import public, when
from surefoot.contracts.budgets import BudgetLimit, ScopeKind, dollars
from surefoot.errors import InvalidInput, SurefootError
from surefoot.ports import GuardOffice
from surefoot.profiles import Profiles
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from surefoot.settings import Settings
from surefoot.tools.registry import ToolRegistry


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[GuardOffice]:
    store = Store.connect(settings.redis_url.get_secret_value(), timeout=settings.store_timeout)
    try:
        yield RedisOffice(store, settings.key_prefix)
    finally:
        await store.close()


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


async def budget(settings: Settings, *, tenant: str, session: str | None, user: str | None, profile: str) -> Answer:
    async with opened_profiles(settings) as profiles:
        limits = profiles.load(profile).budgets
    subjects = {ScopeKind.SESSION: session, ScopeKind.USER: user, ScopeKind.TENANT: tenant}
    scopes = {kind: subject for kind, subject in subjects.items() if subject is not None}
    _refuse_unlimited(scopes, limits, profile)
    async with opened(settings) as office:
        found = [
            await office.budget(tenant, kind, subject, limits[kind])
            for kind, subject in scopes.items()
            if kind in limits
        ]
    rows = [
        (one.kind, one.subject, *(f"${dollars(part)}" for part in (one.settled, one.held, one.limit)), one.window)
        for one in found
    ]
    return Answer(
        {"scopes": public(found)}, [table(("Scope", "Of", "Spent", "Held", "Limit", "Window"), rows, empty="")]
    )


def _refuse_unlimited(scopes: dict[ScopeKind, str], limits: dict[ScopeKind, BudgetLimit], profile: str) -> None:
    """A scope that was asked for by name, and that the profile does not limit, has no books."""
    named = scopes.keys() - {ScopeKind.TENANT}
    unlimited = sorted(kind for kind in named or scopes if kind not in limits)
    if unlimited:
        limited = ", ".join(limits) or "nothing"
        raise InvalidInput(
            f"profile {profile!r} sets no limit for a {' or a '.join(unlimited)} (it limits: {limited}); "
            "name another --profile, or what it limits, such as --session"
        )


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
