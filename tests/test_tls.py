"""Certificates are read once a process."""

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

from surefoot.incidents.channels.registry import Channels, channels
from surefoot.llm.gemini import GeminiModel
from surefoot.llm.mistral import MistralModel
from surefoot.llm.streaming import StreamedModel
from surefoot.settings import Settings
from surefoot.tls import trusted
from surefoot.tools.registry import ToolRegistry

READING = {"load_verify_locations", "set_default_verify_paths", "load_default_certs"}


def reading(act: Callable[[], object]) -> Counter[str]:
    """How often certificates are read meanwhile, by the call that does so."""
    found: Counter[str] = Counter()

    def note(_frame: FrameType, event: str, called: object) -> None:
        name = getattr(called, "__name__", "")
        if event == "c_call" and name in READING:
            found[name] += 1

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return found


async def test_clients_of_tools_channels_and_models_read_none_of_their_own(settings: Settings) -> None:
    trusted.cache_clear()
    assert reading(trusted).total() > 0
    models = GeminiModel("key"), MistralModel("key")
    opened: list[ToolRegistry | Channels | StreamedModel[Any]] = [*models]

    def open_all() -> None:
        opened.extend([ToolRegistry.from_settings(settings), channels(settings)])
        for model in models:
            assert model._sdk

    assert reading(open_all) == Counter()
    for one in opened:
        await one.aclose()
