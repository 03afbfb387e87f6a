"""Which breakers there can be: those that have been used, and those of what a profile has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from surefoot.cli.office import opened_profiles
from surefoot.contracts.breakers import BreakerPolicy
from surefoot.contracts.profiles import Profile
from surefoot.errors import InvalidInput, ProfileError
from surefoot.profiles import Profiles
from surefoot.profiles.document import close_match
from surefoot.settings import Settings


@dataclass(frozen=True)
class Names:
    """The tools and models of the profiles that can be used here."""

    shared: frozenset[str]
    of_tenants: frozenset[str]
    """Those of which each tenant has a breaker of its own."""

    def check(self, name: str, used: Sequence[str]) -> None:
        """Raises ``InvalidInput`` for a name that no breaker has or will have."""
        subject, _, tenant = name.partition("@")
        if name in used or name in self.shared or (tenant and subject in self.of_tenants):
            return
        if name in self.of_tenants:
            raise InvalidInput(f"each tenant has a breaker of its own for {name!r}; add @ and the tenant")
        known = sorted({*used, *self.shared, *self.of_tenants})
        raise InvalidInput(f"no tool or model is called {name!r}{close_match(name, known)}")


async def names(settings: Settings) -> Names:
    async with opened_profiles(settings) as known:
        found = [one for profile in _usable(known) for one in _subjects(profile)]
    return Names(
        frozenset(subject for subject, policy in found if not policy.by_tenant),
        frozenset(subject for subject, policy in found if policy.by_tenant),
    )


def _usable(known: Profiles) -> Iterator[Profile]:
    """A profile that is broken keeps nobody from acting on the others."""
    for name in known.names():
        try:
            yield known.load(name)
        except ProfileError:
            continue


def _subjects(profile: Profile) -> list[tuple[str, BreakerPolicy]]:
    tools = [(tool.name, tool.breaker) for tool in profile.tools]
    return [*tools, *((model, profile.model_breaker) for model in (*profile.ladder, *profile.fallback))]
