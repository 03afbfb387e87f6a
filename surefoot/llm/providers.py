"""Which providers can be called, by the settings."""

from pydantic import AnyHttpUrl, SecretStr

from surefoot.errors import InvalidInput
from surefoot.llm.gemini import GeminiModel
from surefoot.llm.mistral import MistralModel
from surefoot.ports import ModelPort
from surefoot.settings import Settings

_SIMULATOR_KEY = "simulator"
_SETTINGS = {"gemini": ("gemini_api_key", "gemini_url"), "mistral": ("mistral_api_key", "mistral_url")}


class Providers(dict[str, ModelPort]):
    """The ports by provider; asking for one that is not set up raises ``InvalidInput`` with the missing variable."""

    def __missing__(self, provider: str) -> ModelPort:
        raise InvalidInput(_missing(provider))

    async def aclose(self) -> None:
        """Close the connections of every port that has some."""
        for port in self.values():
            if isinstance(port, GeminiModel | MistralModel):
                await port.aclose()


def providers(settings: Settings, **others: ModelPort) -> Providers:
    """The real providers that have a key or an address, and the given others.

    An address without a key is the simulator's, which asks for none.
    """
    ports = Providers(others)
    if access := _access(settings.gemini_api_key, settings.gemini_url):
        ports["gemini"] = GeminiModel(*access)
    if access := _access(settings.mistral_api_key, settings.mistral_url):
        ports["mistral"] = MistralModel(*access)
    return ports


def _access(key: SecretStr | None, url: AnyHttpUrl | None) -> tuple[str, str | None] | None:
    secret = key.get_secret_value().strip() if key else ""
    if not secret and url is None:
        return None
    return secret or _SIMULATOR_KEY, None if url is None else str(url)


def _missing(provider: str) -> str:
    if provider not in _SETTINGS:
        return f"no provider is called {provider!r}"
    key, url = (Settings.model_fields[name].alias for name in _SETTINGS[provider])
    return f"{key} is not set, so {provider!r} cannot be called ({url} names another address, such as the simulator's)"
