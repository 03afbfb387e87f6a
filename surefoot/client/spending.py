"""What a session's runs have spent, added up from their histories: the truth beside which Redis's books are held."""

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from surefoot import attributes
from surefoot.client.again import MODEL_ACTIVITY
from surefoot.client.connection import translated
from surefoot.client.runs import RUN_WORKFLOW, Runs
from surefoot.client.search import Search
from surefoot.contracts.base import Message
from surefoot.contracts.models import ModelReply
from surefoot.contracts.runs import RunResult

MOST_RUNS = 10_000


class RunSpending(Message):
    """One execution of a run: the answers that its history holds, and what they cost in nano-dollars."""

    run: str
    execution: str
    answers: int
    cost: int


class Spending(Runs):
    """The part of the client that adds up histories."""

    async def spending(self, session: str, *, tenant: str) -> tuple[RunSpending, ...]:
        """Every execution of the session's runs that Temporal still remembers, earlier attempts included.

        A call whose answer no worker could report is in no history: the books have it as unknown.
        """
        wanted = {attributes.SESSION: session, attributes.TENANT: tenant}
        search = Search(RUN_WORKFLOW, values=wanted)
        found = await self._search(f"session {session!r}", search, MOST_RUNS)
        with translated(f"session {session!r}"):
            return tuple([await self._added_up(self._execution(run.id, run.run_id)) for run in found])

    def _execution(self, run: str, execution: str) -> WorkflowHandle[None, RunResult]:
        return self._temporal.get_workflow_handle(run, run_id=execution, result_type=RunResult)

    async def _added_up(self, handle: WorkflowHandle[None, RunResult]) -> RunSpending:
        models: set[int] = set()
        costs: list[int] = []
        async for event in handle.fetch_history_events():
            scheduled = event.activity_task_scheduled_event_attributes
            completed = event.activity_task_completed_event_attributes
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                models |= {event.event_id} if scheduled.activity_type.name == MODEL_ACTIVITY else set()
            elif completed.scheduled_event_id in models:
                reply = (await self._temporal.data_converter.decode(completed.result.payloads, [ModelReply]))[0]
                costs.append(ModelReply.model_validate(reply).cost)
        return RunSpending(run=handle.id, execution=handle.run_id or "", answers=len(costs), cost=sum(costs))
