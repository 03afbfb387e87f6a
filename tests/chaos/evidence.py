"""What can be seen from outside when a storm is over: effects, books, claims, incidents, executions."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from surefoot.client import SurefootClient
from surefoot.client.incidents import INCIDENT_WORKFLOW
from surefoot.contracts.base import JsonObject
from surefoot.contracts.budgets import BudgetLimit, ScopeKind, ScopeStatus
from surefoot.contracts.incidents import Incident
from surefoot.contracts.runs import RunRequest
from surefoot.errors import SurefootError, Unreachable
from surefoot.profiles import Profiles
from surefoot.reliability.keys import part, tagged
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Step, Store
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.records import CallEntry, EffectEntry
from surefoot.tools.registry import ToolRegistry
from tests.chaos.gale import Log

A = TypeVar("A")
AT_ONCE = 10
"""Questions to workers at a time."""
PATIENCE = timedelta(seconds=30)
"""For a worker to answer, which may have to replay a history first."""


class Place(Protocol):
    """Where runs have been, and how to look at what they left."""

    @property
    def settings(self) -> Settings: ...

    @property
    def client(self) -> Client: ...

    @property
    def surefoot(self) -> SurefootClient: ...

    @property
    def simulator(self) -> SimulatorClient: ...

    @property
    def redis_url(self) -> str: ...

    @property
    def tenants(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class HeldMoney:
    """A hold that a session's books still have."""

    state: str
    bound: int


@dataclass(frozen=True)
class Books:
    """A session's books, its holds as they are, and its books once the time of every hold is over."""

    status: ScopeStatus
    holds: tuple[HeldMoney, ...]
    later: ScopeStatus


@dataclass(frozen=True)
class Evidence:
    effects: list[EffectEntry]
    calls: list[CallEntry]
    claims: dict[str, JsonObject]
    """By effect key, of everything that happened."""
    books: dict[str, Books]
    """By session."""
    episodes: dict[str, int]
    """How often each breaker opened."""
    incidents: dict[str, Incident | SurefootError]
    executions: list[WorkflowExecution]
    """Of runs and incidents; one that went on as a new one is left out."""

    def of(self, workflow: str) -> list[WorkflowExecution]:
        return [execution for execution in self.executions if execution.workflow_type == workflow]


async def gathered(place: Place, log: Log) -> Evidence:
    """Read everything; the holds that are left are brought to their end."""
    store = Store.connect(place.redis_url, timeout=timedelta(seconds=5))
    prefix = place.settings.key_prefix
    office = RedisOffice(store, prefix)
    try:
        effects = await place.simulator.effects()
        executions = await _executions(place, log)
        names = [status.name for status in await office.breakers()]
        return Evidence(
            effects=effects,
            calls=await place.simulator.calls(),
            claims={effect.key: await office.claim(effect.key) or {} for effect in effects if effect.key},
            books={of.session: await _books(store, prefix, of, cap) for of, cap in _caps(place, log)},
            episodes={name: await _episodes(store, prefix, name) for name in names},
            incidents=await _incidents(place, {e.id for e in executions if e.workflow_type == INCIDENT_WORKFLOW}),
            executions=executions,
        )
    finally:
        await store.close()


def _caps(place: Place, log: Log) -> list[tuple[RunRequest, BudgetLimit]]:
    """A request of each session, and the cap that its profile sets."""
    profiles = Profiles(place.settings.agents_dir, ToolRegistry.from_settings(place.settings))
    requests = {errand.request.session: errand.request for errand in log.accepted.values()}
    return [(asked, profiles.load(asked.profile).budgets[ScopeKind.SESSION]) for asked in requests.values()]


async def _books(store: Store, prefix: str, of: RunRequest, cap: BudgetLimit) -> Books:
    office, session = RedisOffice(store, prefix), ScopeKind.SESSION
    status = await office.budget(of.tenant, session, of.session, cap)
    key = f"{tagged(prefix, 'budget', of.tenant)}:session:{part(of.session)}:forever"
    row = await store.one(Step(("HGETALL", key), list))
    holds = {field: text.split() for field, text in zip(row[::2], row[1::2], strict=True) if field.startswith("h:")}
    for field in holds:
        await store.one(Step(("ZADD", f"{key}:holds", 1, field), list))
    later = await office.budget(of.tenant, session, of.session, cap)
    return Books(status, tuple(HeldMoney(state, int(bound)) for state, _, bound, *_ in holds.values()), later)


async def _episodes(store: Store, prefix: str, name: str) -> int:
    row = await store.one(Step(("HGET", tagged(prefix, "breaker", name), "episodes"), list))
    return int(row[0] or 0)


async def _executions(place: Place, log: Log) -> list[WorkflowExecution]:
    """What the list of executions says, once it knows that the runs have ended; it is a little behind."""
    tenants = ", ".join(f"'{tenant}'" for tenant in place.tenants)
    query = f"Tenant IN ({tenants}) AND ExecutionStatus != 'ContinuedAsNew'"

    async def listed() -> list[WorkflowExecution]:
        found = [execution async for execution in place.client.list_workflows(query)]
        open_runs = {e.id for e in found if e.status is WorkflowExecutionStatus.RUNNING} & log.ends.keys()
        if open_runs or not log.ends.keys() <= {execution.id for execution in found}:
            raise Unreachable(f"the list of executions is behind: {len(open_runs)} that have ended run in it")
        return found

    found = await _patiently(listed)
    if isinstance(found, SurefootError):
        raise found
    return found


async def _incidents(place: Place, ids: set[str]) -> dict[str, Incident | SurefootError]:
    turn, surefoot = asyncio.Semaphore(AT_ONCE), place.surefoot

    async def asked(id: str) -> Incident | SurefootError:
        async with turn:
            return await _patiently(lambda: surefoot.incident(id))

    answers = await asyncio.gather(*(asked(id) for id in ids))
    return dict(zip(ids, answers, strict=True))


async def _patiently(ask: Callable[[], Awaitable[A]]) -> A | SurefootError:
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE.total_seconds()
    while True:
        try:
            return await ask()
        except SurefootError as error:
            if loop.time() > until or not isinstance(error, Unreachable):
                return error
            await asyncio.sleep(0.2)
