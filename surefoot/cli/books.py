"""Budgets: the books of scopes, and what operators do to them."""

from collections.abc import Awaitable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from surefoot.cli.deeds import act, done
from surefoot.cli.money import nanos
from surefoot.cli.office import opened, opened_profiles
from surefoot.cli.options import DEFAULT_TENANT
from surefoot.cli.output import Answer, Part, table, words
from surefoot.cli.plain import public, when
from surefoot.contracts.base import JsonObject, Message
from surefoot.contracts.budgets import BudgetLimit, ScopeKind, ScopeStatus, dollars
from surefoot.contracts.guardrails import Act
from surefoot.errors import InvalidAmount, InvalidInput
from surefoot.ports import GuardDesk
from surefoot.reliability.times import moment
from surefoot.settings import Settings

PROFILES = "profile"
"""The word for the limit that the profile sets."""
Limits = dict[ScopeKind, BudgetLimit]


@dataclass(frozen=True)
class Whose:
    """The one scope that an act is about, as it was typed."""

    session: str | None
    user: str | None
    tenant: str | None
    profile: str

    @property
    def scope(self) -> tuple[ScopeKind, str]:
        """Raises ``InvalidInput`` unless it is clear which."""
        named = {ScopeKind.SESSION: self.session, ScopeKind.USER: self.user}
        found = [(kind, subject) for kind, subject in named.items() if subject is not None]
        if not found and self.tenant is not None:
            found = [(ScopeKind.TENANT, self.tenant)]
        if len(found) != 1:
            raise InvalidInput("name one scope: a --session, a --user, or a --tenant alone for the tenant's own books")
        return found[0]


async def limits_of(settings: Settings, profile: str) -> Limits:
    async with opened_profiles(settings) as profiles:
        return profiles.load(profile).budgets


async def show(settings: Settings, *, tenant: str, session: str | None, user: str | None, profile: str) -> Answer:
    limits = await limits_of(settings, profile)
    subjects = {ScopeKind.SESSION: session, ScopeKind.USER: user, ScopeKind.TENANT: tenant}
    scopes = {kind: subject for kind, subject in subjects.items() if subject is not None}
    refuse_unlimited(scopes.keys() - {ScopeKind.TENANT} or scopes.keys(), limits, profile)
    limited = [(kind, subject) for kind, subject in scopes.items() if kind in limits]
    async with opened(settings) as office:
        found = [await office.budget(tenant, kind, subject, limits[kind]) for kind, subject in limited]
        acts = [one for kind, subject in limited for one in await acts_on(office, tenant, kind, subject)]
    return Answer({"scopes": public(found), "acts": public(acts)}, [shown(found), *_acts(acts)])


def refuse_unlimited(named: AbstractSet[ScopeKind], limits: Limits, profile: str) -> None:
    """A scope that was asked for by name, and that the profile does not limit, has no books."""
    unlimited = sorted(kind for kind in named if kind not in limits)
    if unlimited:
        limited = ", ".join(limits) or "nothing"
        raise InvalidInput(
            f"profile {profile!r} sets no limit for a {' or a '.join(unlimited)} (it limits: {limited}); "
            "name another --profile, or what it limits, such as --session"
        )


def shown(scopes: Sequence[ScopeStatus]) -> Part:
    """What is known to be spent and what is charged for calls of unknown outcome are both spent."""
    unknown = any(one.unknown for one in scopes)
    rows = [
        (
            one.kind,
            one.subject,
            f"${dollars(one.settled)}",
            *([f"${dollars(one.unknown)}"] if unknown else []),
            f"${dollars(one.held)}",
            f"${dollars(one.limit)}",
            one.window,
        )
        for one in scopes
    ]
    of_it = ["Of it unknown"] if unknown else []
    return table(("Scope", "Of", "Spent", *of_it, "Held", "Limit", "Window"), rows, empty="")


class Kept(Message):
    """An act on a budget, as it is told; the amount is in nano-dollars, None where the profile's limit was put back."""

    scope: ScopeKind
    act: str
    amount: int | None
    by: str
    reason: str
    at: datetime


def _kept(scope: ScopeKind, one: JsonObject) -> Kept:
    at, amount = moment(str(one["at"])), one["amount"] or None
    return Kept.model_validate({**one, "scope": scope, "at": at, "amount": amount})


async def acts_on(office: GuardDesk, tenant: str, kind: ScopeKind, subject: str) -> list[Kept]:
    """The latest, newest first."""
    return [_kept(kind, one) for one in await office.acts(tenant, kind, subject)]


def _acts(acts: Sequence[Kept]) -> list[Part]:
    rows = [(one.scope, _what(one), one.by, one.reason, when(one.at)) for one in acts]
    return [words(""), table(("Acts on", "What", "By", "Why", "When"), rows, empty="")] if rows else []


def _what(one: Kept) -> str:
    """In words: the amount of a reset is what was forgotten."""
    if one.amount is None:
        return "limit of the profile"
    said = {"set": "limit ${}", "top_up": "${} more", "reset": "reset at ${}"}
    return said[one.act].format(dollars(one.amount))


async def set_limit(settings: Settings, whose: Whose, limit: str, *, by: str, reason: str) -> Answer:
    amount = None if limit == PROFILES else nanos(limit)
    return await _acted(settings, whose, act(by, reason), lambda desk, *of, said: desk.set_budget(*of, amount, said))


async def top_up(settings: Settings, whose: Whose, text: str, *, by: str, reason: str) -> Answer:
    if not (amount := nanos(text)):
        raise InvalidAmount(f"{text!r} adds nothing; name more than 0 dollars")
    return await _acted(settings, whose, act(by, reason), lambda desk, *of, said: desk.top_up(*of, amount, said))


async def reset(settings: Settings, whose: Whose, *, by: str, reason: str) -> Answer:
    return await _acted(settings, whose, act(by, reason), lambda desk, *of, said: desk.reset_budget(*of, said))


class Deed(Protocol):
    """What is done to the books of a scope."""

    def __call__(
        self, desk: GuardDesk, tenant: str, kind: ScopeKind, subject: str, default: BudgetLimit, /, *, said: Act
    ) -> Awaitable[ScopeStatus]: ...


async def _acted(settings: Settings, whose: Whose, said: Act, deed: Deed) -> Answer:
    kind, subject = whose.scope
    limits = await limits_of(settings, whose.profile)
    refuse_unlimited({kind}, limits, whose.profile)
    tenant = DEFAULT_TENANT if whose.tenant is None else whose.tenant
    async with opened(settings) as desk:
        status = await done(lambda: deed(desk, tenant, kind, subject, limits[kind], said=said))
    return Answer({"scope": public(status), "act": public(said)}, [shown([status])])
