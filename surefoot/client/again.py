"""Running something again: a failed run under its key, or a run from one of its turns on."""

import uuid

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType, ResetReapplyType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle

from surefoot.client.chain import executions
from surefoot.client.connection import translated
from surefoot.client.runs import Runs
from surefoot.client.views import Retried, Started
from surefoot.contracts.models import ModelCall
from surefoot.contracts.runs import IdempotencyStatus, RunRequest, RunResult
from surefoot.errors import InvalidInput

MODEL_ACTIVITY = "llm.generate"
NOT_TAKEN_OVER = (
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST,
)
"""A decision was about a call of before; a cancellation would end what is meant to begin anew."""


class Again(Runs):
    """The part of the client that runs something again. Effects keep their keys, so what is done is not repeated."""

    async def retry(self, run: str, *, by: str, reason: str) -> Started:
        """Start a failed or cancelled run again with the request that it had. Who and why are kept with it.

        A run that is under way is joined, a completed one answers. Raises ``NotFound``.
        """
        with translated(f"run {run!r}"):
            request = await self._request_of(self._handle(run))
        return await self.start(request, retried=Retried(by=by, reason=reason))

    async def reset(self, run: str, *, turn: int, reason: str) -> Started:
        """Let the run begin anew from this turn on; what came before stays as it is.

        Decisions about approvals are not taken over, so that an old one cannot approve a new call. The reason is
        kept in the history. Where the run has gone on in new histories, it begins anew in the one that has the turn.
        Raises ``InvalidInput`` for a turn that the run has not begun or Temporal has forgotten, ``NotFound``.
        """
        with translated(f"run {run!r}"):
            execution, event = await self._beginning_of(run, turn)
            await self._temporal.workflow_service.reset_workflow_execution(
                ResetWorkflowExecutionRequest(
                    namespace=self._temporal.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=run, run_id=execution),
                    reason=reason,
                    workflow_task_finish_event_id=event,
                    request_id=uuid.uuid4().hex,
                    reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
                    reset_reapply_exclude_types=NOT_TAKEN_OVER,
                )
            )
            return Started(run=run, idempotency_status=IdempotencyStatus.JOINED)

    async def _request_of(self, handle: WorkflowHandle[None, RunResult]) -> RunRequest:
        async for event in handle.fetch_history_events(page_size=1):
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            found = await self._temporal.data_converter.decode(payloads, [RunRequest])
            return RunRequest.model_validate(found[0])
        raise InvalidInput(f"run {handle.id!r} has no beginning in its history")

    async def _beginning_of(self, run: str, turn: int) -> tuple[str, int]:
        """The execution and the event at which the workflow decided to make this turn's model call."""
        begun: set[int] = set()
        newest = (await self._handle(run).describe()).run_id
        async for handle in executions(self._temporal, run, newest):
            async for event in handle.fetch_history_events():
                call = await self._model_call(event)
                if call and call.turn == turn:
                    decided = event.activity_task_scheduled_event_attributes.workflow_task_completed_event_id
                    return handle.run_id or newest, decided
                begun |= {call.turn} if call else set()
        if not begun:
            raise InvalidInput(f"run {run!r} has begun no turn, so there is nothing to go back to; retry it")
        raise InvalidInput(f"run {run!r} has begun {max(begun)} turns; choose one from {min(begun)} to {max(begun)}")

    async def _model_call(self, event: HistoryEvent) -> ModelCall | None:
        scheduled = event.activity_task_scheduled_event_attributes
        if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            return None
        if scheduled.activity_type.name != MODEL_ACTIVITY:
            return None
        found = await self._temporal.data_converter.decode(scheduled.input.payloads, [ModelCall])
        return ModelCall.model_validate(found[0])
