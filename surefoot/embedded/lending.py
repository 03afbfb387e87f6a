"""What the embedded stack lends, and what it need not lend because it is given."""

from collections.abc import Mapping

from surefoot.settings import variables
from surefoot.simulator.client import ADDRESSES

WORLD = "main"
"""The simulator's world that is lent."""
TEMPORAL = ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")
SIMULATED_KEY = "simulator"
"""Stands for the API key of a simulated provider."""
KEYS = {"GEMINI_API_URL": "GEMINI_API_KEY", "MISTRAL_API_URL": "MISTRAL_API_KEY"}
"""The key of each provider, by the variable of its address."""


def redis_is_given(given: Mapping[str, str]) -> bool:
    return "REDIS_URL" in given


def temporal_is_given(given: Mapping[str, str]) -> bool:
    """A configuration file counts only where it is named: one that merely lies in the home folder does not."""
    return any(name in given for name in TEMPORAL)


def simulated(given: Mapping[str, str], url: str) -> dict[str, str]:
    """The addresses in a simulator at ``url`` of all that is not given. A provider is given by its key or its URL."""
    missing = {
        name: f"{url}/w/{WORLD}/{target}"
        for name, target in ADDRESSES.items()
        if name not in given and KEYS.get(name) not in given
    }
    return missing | {key: SIMULATED_KEY for address, key in KEYS.items() if address in missing}


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that sets up Surefoot or Temporal."""
    known = variables()
    return {
        name: value
        for name, value in environment.items()
        if name not in known and not name.startswith(("SUREFOOT_", "TEMPORAL_"))
    }
