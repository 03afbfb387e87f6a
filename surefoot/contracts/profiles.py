"""A profile as it is pinned into a run's history."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from surefoot.contracts.base import Duration, Message
from surefoot.contracts.breakers import BreakerPolicy
from surefoot.contracts.budgets import BudgetLimit, ScopeKind
from surefoot.contracts.models import ModelId
from surefoot.contracts.tools import ToolContract


class Limits(Message):
    """Where a run stops on its own."""

    max_turns: int = Field(default=12, ge=1, le=1000)
    max_duration: Duration = timedelta(hours=1)
    """Time spent waiting for people is not counted."""
    store_wait: Duration = timedelta(minutes=10)
    """The longest wait for Redis to come back before the run fails."""
    model_deadline: Duration = timedelta(minutes=5)
    """For one attempt of a model call."""
    model_attempts: int = Field(default=4, ge=1, le=20)
    """Attempts of one model call before the fallback is used."""
    max_events: int = Field(default=4000, ge=100, le=40_000)
    """A run whose history has as many goes on in a new one after its turn; earlier if Temporal suggests it."""
    context_tokens: int = Field(default=0, ge=0, le=100_000_000)
    """A smaller context than the models have; 0 for what each of them has. Near its end older turns are summarised."""
    verbatim_turns: int = Field(default=4, ge=1, le=100)
    """So many of the newest turns are then sent as they were, where they take no more than half of the room."""
    repeats: int = Field(default=3, ge=2, le=100)
    """The same call with the same arguments this many times is no progress."""


class ApprovalRule(Message):
    """A tool's calls wait for a human."""

    expires: Annotated[Duration, Field(le=timedelta(days=30))] = timedelta(hours=24)


class Profile(Message):
    """An agent's definition, with the contract of every tool that it grants."""

    name: str
    description: str = ""
    system: str
    ladder: tuple[ModelId, ...] = Field(min_length=1)
    """For money: the first that fits under the soft line; the last under the hard one."""
    fallback: tuple[ModelId, ...] = ()
    """For outage."""
    tools: tuple[ToolContract, ...] = ()
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_output_tokens: int = Field(default=1024, ge=1, le=65_536)
    parallel_tools: bool = True
    limits: Limits = Limits()
    budgets: dict[ScopeKind, BudgetLimit] = {}
    approvals: dict[str, ApprovalRule] = {}
    model_breaker: BreakerPolicy = BreakerPolicy()
    heartbeat: Duration = timedelta(seconds=5)
    """Set by the worker that pins the profile: an activity that is silent for longer is given to another worker."""
    fleet: str = ""
    """Set by the worker that pins the profile: the task queue that it and all who share its store serve."""

    @property
    def fixed_size(self) -> int:
        """UTF-8 bytes that each prompt has beside the conversation: what the system says, and the tools."""
        return len(self.system.encode()) + sum(len(tool.model_dump_json().encode()) for tool in self.tools)

    def tool(self, name: str) -> ToolContract | None:
        return next((tool for tool in self.tools if tool.name == name), None)


class ProfileRequest(Message):
    """Input of ``profiles.pin``."""

    name: str
