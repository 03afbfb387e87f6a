"""Surefoot: AI agents as Temporal workflows that keep their footing.

What programs use stands here; it is imported when it is first asked for, so that ``import surefoot`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefoot.client import SurefootClient
    from surefoot.contracts.approvals import ApprovalDecision
    from surefoot.contracts.runs import RunRequest, RunResult, RunStatus
    from surefoot.contracts.tools import Effect
    from surefoot.errors import KeyReused, RunCancelled, RunFailed, SurefootError
    from surefoot.settings import Settings, load
    from surefoot.tools.contract import Arguments, tool

_HOMES = {
    "ApprovalDecision": "surefoot.contracts.approvals",
    "Arguments": "surefoot.tools.contract",
    "Effect": "surefoot.contracts.tools",
    "KeyReused": "surefoot.errors",
    "RunCancelled": "surefoot.errors",
    "RunFailed": "surefoot.errors",
    "RunRequest": "surefoot.contracts.runs",
    "RunResult": "surefoot.contracts.runs",
    "RunStatus": "surefoot.contracts.runs",
    "Settings": "surefoot.settings",
    "SurefootClient": "surefoot.client",
    "SurefootError": "surefoot.errors",
    "load": "surefoot.settings",
    "tool": "surefoot.tools.contract",
}

__all__ = [
    "ApprovalDecision",
    "Arguments",
    "Effect",
    "KeyReused",
    "RunCancelled",
    "RunFailed",
    "RunRequest",
    "RunResult",
    "RunStatus",
    "Settings",
    "SurefootClient",
    "SurefootError",
    "load",
    "tool",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
