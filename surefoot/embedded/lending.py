"""What the embedded stack lends, and what it need not lend because it is given."""

import os
from collections.abc import Mapping

from temporalio.envconfig import ClientConfig

from surefoot.errors import InvalidInput
from surefoot.settings import given, variables
from surefoot.simulator.client import ADDRESSES, sink_variables

WORLD = "main"
"""The simulator's world that is lent."""
SIMULATED_KEY = "simulator"
"""Stands for the API key of a simulated provider."""
KEYS = {"GEMINI_API_URL": "GEMINI_API_KEY", "MISTRAL_API_URL": "MISTRAL_API_KEY"}
"""The key of each provider, by the variable of its address."""
CHANNELS = frozenset(
    {"PAGERDUTY_ROUTING_KEY", "OPSGENIE_API_KEY", "SLACK_WEBHOOK_URL", "INCIDENT_WEBHOOK_URL", "APPRISE_URLS"}
)
"""Any of these, and people are told in earnest."""
NO_TEMPORAL_CONFIG = {"TEMPORAL_CONFIG_FILE": os.devnull}
"""Keeps a user's profile, with its TLS and keys, away from a server that is not the user's."""


def found() -> dict[str, str]:
    """What the environment, ``.env`` and Temporal's own configuration file give, by variable name."""
    try:
        temporal = ClientConfig.load_client_connect_config(override_env_vars=dict(os.environ))
    except RuntimeError as error:
        raise InvalidInput(f"Temporal's configuration cannot be used: {' '.join(str(error).split())}") from None
    address = temporal.get("target_host")
    return {**given(), **({"TEMPORAL_ADDRESS": address} if address else {})}


def simulated(given: Mapping[str, str], url: str) -> dict[str, str]:
    """The addresses in a simulator at ``url`` of all that is not given. A provider is given by its key or its URL.

    Where anything is simulated and no channel is given, incidents go to the simulator's sinks.
    """
    world = f"{url}/w/{WORLD}"
    missing = {
        name: f"{world}/{target}"
        for name, target in ADDRESSES.items()
        if name not in given and KEYS.get(name) not in given
    }
    keys = {key: SIMULATED_KEY for address, key in KEYS.items() if address in missing}
    paged = not missing or any(name in given for name in CHANNELS)
    return missing | keys | ({} if paged else sink_variables(world))


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that sets up Surefoot or Temporal."""
    known = variables()
    others = {
        name: value
        for name, value in environment.items()
        if name not in known and not name.startswith(("SUREFOOT_", "TEMPORAL_"))
    }
    return {**others, **NO_TEMPORAL_CONFIG}
