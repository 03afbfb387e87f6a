"""What is checked before a run starts, so that nothing is half-started."""

from surefoot.cli.office import opened_profiles
from surefoot.contracts.models import provider_of
from surefoot.contracts.runs import RunRequest
from surefoot.errors import InvalidInput
from surefoot.reliability.health import look
from surefoot.settings import Settings


async def check(settings: Settings, request: RunRequest) -> None:
    """Refuse a run whose profile cannot be used, whose provider has no key, or that would find no Redis."""
    async with opened_profiles(settings) as profiles:
        profile = profiles.load(request.profile)
    for provider in dict.fromkeys(map(provider_of, profile.ladder)):
        if variable := settings.missing_key(provider):
            raise InvalidInput(
                f"{variable} is not set, so {provider!r} cannot be called; set it, "
                "or run `./starter.py up`, which has a simulated one"
            )
    await look(settings)
