"""What a session's runs have spent, added up from their histories: the truth beside which Redis's books are held."""

from datetime import UTC, datetime
from typing import TypeVar

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

from surefoot import attributes
from surefoot.client.again import MODEL_ACTIVITY
from surefoot.client.connection import translated
from surefoot.client.runs import RUN_WORKFLOW, Runs
from surefoot.client.search import Search
from surefoot.contracts.base import Message
from surefoot.contracts.models import ModelCall, ModelReply
from surefoot.contracts.runs import RunResult

MOST_RUNS = 10_000

M = TypeVar("M", bound=Message)


class RunSpending(Message):
    """One execution of a run: the answers that its history holds, and what they cost in nano-dollars."""

    run: str
    execution: str
    answers: int
    cost: int


class Since(Message):
    """Which answers count: all, or those whose hold and whose end are not from before."""

    held: datetime | None = None
    answered: datetime | None = None


class Spending(Runs):
    """The part of the client that adds up histories."""

    async def spending(self, session: str, *, tenant: str, since: Since | None = None) -> tuple[RunSpending, ...]:
        """Every execution of the session's runs that Temporal still remembers, earlier attempts included.

        What a run that was reset has in common with the execution before is counted once. A call whose answer no
        worker could report is in no history: the books have it as unknown.
        """
        wanted = {attributes.SESSION: session, attributes.TENANT: tenant}
        search = Search(RUN_WORKFLOW, values=wanted)
        found = await self._search(f"session {session!r}", search, MOST_RUNS)
        counted: set[str] = set()
        with translated(f"session {session!r}"):
            handles = [self._execution(run.id, run.run_id) for run in reversed(found)]
            return tuple([await self._added_up(handle, since or Since(), counted) for handle in handles])

    def _execution(self, run: str, execution: str) -> WorkflowHandle[None, RunResult]:
        return self._temporal.get_workflow_handle(run, run_id=execution, result_type=RunResult)

    async def _added_up(self, handle: WorkflowHandle[None, RunResult], since: Since, counted: set[str]) -> RunSpending:
        calls: dict[int, HistoryEvent] = {}
        costs: list[int] = []
        async for event in handle.fetch_history_events():
            scheduled = event.activity_task_scheduled_event_attributes
            completed = event.activity_task_completed_event_attributes
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                calls |= {event.event_id: event} if scheduled.activity_type.name == MODEL_ACTIVITY else {}
            elif call := calls.pop(completed.scheduled_event_id, None):
                hold = (await self._decoded(call.activity_task_scheduled_event_attributes.input, ModelCall)).hold
                reply = await self._decoded(completed.result, ModelReply)
                if hold.id not in counted and _is_since(since, hold.at, event.event_time.ToDatetime(UTC)):
                    costs.append(reply.cost)
                counted.add(hold.id)
        return RunSpending(run=handle.id, execution=handle.run_id or "", answers=len(costs), cost=sum(costs))

    async def _decoded(self, payloads: Payloads, kind: type[M]) -> M:
        return kind.model_validate((await self._temporal.data_converter.decode(payloads.payloads, [kind]))[0])


def _is_since(since: Since, held: datetime, answered: datetime) -> bool:
    return (since.held is None or held >= since.held) and (since.answered is None or answered >= since.answered)
