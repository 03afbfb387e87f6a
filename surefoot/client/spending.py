"""What a session's runs have spent, added up from their histories: the truth beside which Redis's books are held."""

from datetime import UTC, datetime
from typing import TypeVar

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

from surefoot import attributes
from surefoot.client.again import MODEL_ACTIVITY
from surefoot.client.connection import translated
from surefoot.client.runs import RUN_WORKFLOW, Runs
from surefoot.client.search import Search
from surefoot.contracts.base import Message
from surefoot.contracts.models import ModelCall, ModelReply, Spent
from surefoot.contracts.runs import RunResult

MOST_RUNS = 10_000
CARRIED = 2
"""Where in a heartbeat's details is what the attempts hand on."""

M = TypeVar("M", bound=Message)


class RunSpending(Message):
    """One execution of a run: the answers that its history holds, and what its model calls cost in nano-dollars."""

    run: str
    execution: str
    answers: int
    cost: int
    """Of attempts that failed too, as far as it is known."""


class Since(Message):
    """Which answers count: all, or those whose hold and whose end are not from before."""

    held: datetime | None = None
    answered: datetime | None = None


class Spending(Runs):
    """The part of the client that adds up histories."""

    async def spending(self, session: str, *, tenant: str, since: Since | None = None) -> tuple[RunSpending, ...]:
        """Every execution of the session's runs that Temporal still remembers, earlier attempts included.

        What a run that was reset has in common with the execution before is counted once. A call whose answer no
        worker could report is in no history: the books have it as unknown. One that failed and was billed all the
        same counts with what the provider said that it cost.
        """
        wanted = {attributes.SESSION: session, attributes.TENANT: tenant}
        search = Search(RUN_WORKFLOW, values=wanted, continued=True)
        found = await self._search(f"session {session!r}", search, MOST_RUNS)
        counted: set[str] = set()
        with translated(f"session {session!r}"):
            handles = [self._execution(run.id, run.run_id) for run in reversed(found)]
            return tuple([await self._added_up(handle, since or Since(), counted) for handle in handles])

    def _execution(self, run: str, execution: str) -> WorkflowHandle[None, RunResult]:
        return self._temporal.get_workflow_handle(run, run_id=execution, result_type=RunResult)

    async def _added_up(self, handle: WorkflowHandle[None, RunResult], since: Since, counted: set[str]) -> RunSpending:
        calls: dict[int, HistoryEvent] = {}
        answers = cost = 0
        async for event in handle.fetch_history_events():
            scheduled = event.activity_task_scheduled_event_attributes
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                calls |= {event.event_id: event} if scheduled.activity_type.name == MODEL_ACTIVITY else {}
            elif call := calls.pop(_ended(event), None):
                hold = (await self._decoded(call.activity_task_scheduled_event_attributes.input, ModelCall)).hold
                if hold.id not in counted and _is_since(since, hold.at, event.event_time.ToDatetime(UTC)):
                    cost += await self._cost(event)
                    answers += event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
                counted.add(hold.id)
        return RunSpending(run=handle.id, execution=handle.run_id or "", answers=answers, cost=cost)

    async def _cost(self, event: HistoryEvent) -> int:
        """Of a model call, by the event that ended it."""
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            reply = await self._decoded(event.activity_task_completed_event_attributes.result, ModelReply)
            return reply.cost + reply.earlier_cost
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
            return await self._lost(event.activity_task_failed_event_attributes.failure)
        return await self._lost(event.activity_task_timed_out_event_attributes.failure)

    async def _lost(self, failure: Failure) -> int:
        """What a failure tells that its attempts have cost; a time-out tells it by the last heartbeat."""
        details = failure.application_failure_info.details
        if details.payloads:
            return (await self._decoded(details, Spent)).cost
        beat = failure.timeout_failure_info.last_heartbeat_details
        if len(beat.payloads) > CARRIED:
            return (await self._decoded(Payloads(payloads=beat.payloads[CARRIED:]), Spent)).cost
        return await self._lost(failure.cause) if failure.HasField("cause") else 0

    async def _decoded(self, payloads: Payloads, kind: type[M]) -> M:
        found = await self._temporal.data_converter.decode(payloads.payloads[:1], [kind])
        return kind.model_validate(found[0] or {})


def _ended(event: HistoryEvent) -> int:
    """The number of the event that scheduled the activity which this one ends; 0 for any other event."""
    return (
        event.activity_task_completed_event_attributes.scheduled_event_id
        or event.activity_task_failed_event_attributes.scheduled_event_id
        or event.activity_task_timed_out_event_attributes.scheduled_event_id
    )


def _is_since(since: Since, held: datetime, answered: datetime) -> bool:
    return (since.held is None or held >= since.held) and (since.answered is None or answered >= since.answered)
