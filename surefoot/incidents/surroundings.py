"""What an incident's subject depends on, and what depends on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from surefoot.contracts.budgets import ScopeKind
from surefoot.contracts.incidents import IncidentKind, IncidentReport
from surefoot.contracts.profiles import Profile
from surefoot.incidents.markdown import Written, code, name
from surefoot.incidents.severity import names_model

LISTED = 10
"""Profiles that are named; the others are counted."""

BUDGETS = (IncidentKind.BUDGET_SOFT, IncidentKind.BUDGET_HARD)
STORES = (IncidentKind.STORE_WIPED, IncidentKind.STORE_OUTAGE)


@dataclass(frozen=True)
class Surroundings:
    """Which profiles use a tool or a model, as the worker knows them."""

    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, profiles: Iterable[Profile]) -> "Surroundings":
        """From profiles as they are loaded when the worker starts."""
        users: dict[str, list[str]] = {}
        for profile in profiles:
            for used in (*profile.ladder, *profile.fallback, *(tool.name for tool in profile.tools)):
                users.setdefault(used, []).append(profile.name)
        return cls({used: tuple(sorted(set(found))) for used, found in users.items()})

    def needs(self, report: IncidentReport) -> tuple[Written, ...]:
        """What the subject depends on."""
        if report.kind in BUDGETS:
            return _of_budget(report)
        if report.kind in STORES:
            return (
                Written("the machine and the disk of Redis, and the network between it and the workers"),
                Written("its append-only file, and the eviction policy noeviction"),
            )
        if report.kind is IncidentKind.RUN_FAILED:
            return (
                Written("the models and the tools of its profile, each behind a circuit of its own"),
                Written("Redis, for its budget and for the claims of its side effects"),
                Written("Temporal, and a worker that polls the task queue"),
            )
        return _of_model(report.subject) if names_model(report.subject) else _of_tool(report)

    def needed_by(self, report: IncidentReport) -> tuple[Written, ...]:
        """What depends on the subject."""
        if report.kind in STORES:
            return (
                Written("budgets, so every paid call of a model, on all profiles and tenants"),
                Written("the ledger, so every side effect; and the circuits that workers share"),
            )
        if report.kind is IncidentKind.RUN_FAILED:
            return (
                Written(f"whoever asked: tenant {code(report.tenant)} waits for the answer of {name(report.run_id)}"),
            )
        if report.kind in BUDGETS:
            return (Written(f"every run in {code(report.subject)} of tenant {code(report.tenant)}"),)
        return (*self._profiles(report.subject), Written(f"the run that told of it first, {name(report.run_id)}"))

    def _profiles(self, subject: str) -> tuple[Written, ...]:
        users = self.users.get(subject.partition("@")[0], ())
        if not users:
            return (Written(f"every profile that names {code(subject)}"),)
        left = f" and {len(users) - LISTED} more" if len(users) > LISTED else ""
        return (Written(f"profiles {', '.join(name(user) for user in users[:LISTED])}{left}"),)


def _of_budget(report: IncidentReport) -> tuple[Written, ...]:
    kind, _, subject = report.subject.partition(":")
    profile = report.facts.get("profile")
    whose = f"profile {name(profile)}" if isinstance(profile, str) else "the run's profile"
    limit = f"the limit that {whose} sets for a {kind if kind in tuple(ScopeKind) else 'scope'}"
    return (Written(f"{limit}, here {code(subject)}"), Written("the prices of the models, and the books in Redis"))


def _of_model(model: str) -> tuple[Written, ...]:
    provider = model.partition(":")[0]
    return (
        Written(f"the provider {code(provider)}: its service, the quota and the API key"),
        Written("the way from the workers to the provider: DNS, proxies, certificates"),
        Written("Redis, in which its circuit and the budgets are kept"),
    )


def _of_tool(report: IncidentReport) -> tuple[Written, ...]:
    people = (Written("people who decide about its calls"),) if report.kind is IncidentKind.APPROVAL_EXPIRED else ()
    return (
        *people,
        Written(f"the back end that {code(report.subject)} calls, and the way to it"),
        Written("Redis, in which its circuit and the claims of its effects are kept"),
        Written("a worker that serves its activity"),
    )
