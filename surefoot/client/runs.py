"""Runs: starting one exactly once, waiting for it, looking at it, cancelling it."""

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import (
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, CancelledError, WorkflowAlreadyStartedError

from surefoot import attributes
from surefoot.client.base import Connected
from surefoot.client.connection import translated
from surefoot.client.search import Search
from surefoot.client.views import Retried, Retry, RunView, Started
from surefoot.contracts.runs import (
    IdempotencyStatus,
    RunFailure,
    RunProgress,
    RunRequest,
    RunResult,
    RunStatus,
    Transcript,
)
from surefoot.errors import KeyReused, NotFound, RunCancelled, RunFailed, SurefootError, detail
from surefoot.idempotency import fingerprint, workflow_id

RUN_WORKFLOW = "AgentWorkflow"
TASK_TIMEOUT = timedelta(seconds=5)
"""A workflow task whose worker died is given to another one after this long."""
FINGERPRINT = "fingerprint"
RETRIED = "retried"
STARTED = "started"
"""When the run was asked for: Temporal's own records of one with a long history begin with its newest."""

_STATUS = {
    WorkflowExecutionStatus.RUNNING: RunStatus.RUNNING,
    WorkflowExecutionStatus.CONTINUED_AS_NEW: RunStatus.RUNNING,
    WorkflowExecutionStatus.COMPLETED: RunStatus.COMPLETED,
    WorkflowExecutionStatus.CANCELED: RunStatus.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: RunStatus.TERMINATED,
    WorkflowExecutionStatus.FAILED: RunStatus.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: RunStatus.FAILED,
}
_EXECUTION_STATUS = {
    RunStatus.RUNNING: ("Running",),
    RunStatus.COMPLETED: ("Completed",),
    RunStatus.FAILED: ("Failed", "TimedOut"),
    RunStatus.CANCELLED: ("Canceled",),
    RunStatus.TERMINATED: ("Terminated",),
}


class Runs(Connected):
    """The part of the client that speaks of runs. A run is named by its workflow id."""

    async def start(self, request: RunRequest, *, retried: Retried | None = None) -> Started:
        """Start the run, or find the one that has the same idempotency key (design section 4).

        Raises ``KeyReused`` when the key came with another payload before. Repeating the call is harmless: the SDK
        sends the same request id with each attempt of its own, and a second start finds the first. Who has it
        ``retried`` is kept with the run that this call starts.
        """
        run = workflow_id(request.tenant, request.key)
        with translated(f"run {run!r}"):
            if await self._begin(request, run, WorkflowIDReusePolicy.REJECT_DUPLICATE, retried):
                return Started(run=run, idempotency_status=IdempotencyStatus.FRESH)
            earlier = await self._found(request, run)
            if earlier is not None:
                return earlier
            if await self._begin(request, run, WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, retried):
                return Started(run=run, idempotency_status=IdempotencyStatus.FRESH)
            raced = await self._found(request, run)
            return raced or Started(run=run, idempotency_status=IdempotencyStatus.JOINED)

    async def _begin(
        self, request: RunRequest, run: str, reuse: WorkflowIDReusePolicy, retried: Retried | None
    ) -> bool:
        """Whether this call started the run; False if the policy forbids it."""
        memo: dict[str, object] = {FINGERPRINT: fingerprint(request), STARTED: datetime.now(UTC)}
        try:
            await self._temporal.start_workflow(
                RUN_WORKFLOW,
                request,
                id=run,
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=reuse,
                task_timeout=TASK_TIMEOUT,
                memo=memo | ({RETRIED: retried} if retried else {}),
                search_attributes=attributes.of_new_run(request),
                static_summary=f"{request.profile} in session {request.session}",
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def _found(self, request: RunRequest, run: str) -> Started | None:
        """The run that has the key, if it is under way or completed; None if it may be run again."""
        handle = self._handle(run)
        there = await handle.describe()
        if await there.memo_value(FINGERPRINT, None) != fingerprint(request):
            raise KeyReused(
                f"key {request.key!r} was used with another prompt, profile, session or user; choose another key"
            )
        match _status(there):
            case RunStatus.RUNNING:
                return Started(run=run, idempotency_status=IdempotencyStatus.JOINED)
            case RunStatus.COMPLETED:
                status = IdempotencyStatus.CACHE_HIT
                result = _stamped(await handle.result(), status)
                return Started(run=run, idempotency_status=status, result=result)
            case _:
                return None

    def _handle(self, run: str) -> WorkflowHandle[None, RunResult]:
        return self._temporal.get_workflow_handle(run, result_type=RunResult)

    async def run(self, request: RunRequest) -> RunResult:
        """Start the run and wait for its answer; raises what ``start`` and ``result`` raise."""
        started = await self.start(request)
        return started.result or _stamped(await self.result(started.run), started.idempotency_status)

    async def result(self, run: str) -> RunResult:
        """Wait for the run's answer.

        Raises ``RunFailed`` with type and partial result, ``RunCancelled``, or ``NotFound``.
        """
        with translated(f"run {run!r}"):
            try:
                return await self._handle(run).result()
            except WorkflowFailureError as error:
                raise _end(run, error.cause) from error

    async def describe(self, run: str) -> RunView:
        """The run as Temporal records it; needs no worker. Raises ``NotFound``."""
        with translated(f"run {run!r}"):
            found = await self._handle(run).describe()
            retried: Retried | None = await found.memo_value(RETRIED, None, type_hint=Retried)
            return (await _view(found)).model_copy(update={"retried": retried, "retrying": _retrying(found)})

    async def progress(self, run: str) -> RunProgress:
        """What the run is doing; raises ``Unreachable`` when no worker answers."""
        return await self._ask(f"run {run!r}", run, "progress", RunProgress)

    async def conversation(self, run: str) -> Transcript:
        """What was said in the run so far; raises ``Unreachable`` when no worker answers."""
        return await self._ask(f"run {run!r}", run, "conversation", Transcript)

    async def cancel(self, run: str) -> None:
        """Ask the run to stop; it settles what it holds first. Raises ``NotFound`` if it has ended."""
        if (await self.describe(run)).status is not RunStatus.RUNNING:
            raise NotFound(f"run {run!r} has ended already")
        with translated(f"run {run!r}"):
            await self._handle(run).cancel()

    async def runs(
        self,
        *,
        status: RunStatus | None = None,
        profile: str | None = None,
        session: str | None = None,
        tenant: str | None = None,
        waiting: str | None = None,
        limit: int = 20,
    ) -> tuple[RunView, ...]:
        """The newest runs with these properties, ``limit`` at most."""
        search = Search(
            RUN_WORKFLOW,
            statuses=_EXECUTION_STATUS[status] if status else (),
            values={
                attributes.PROFILE: profile,
                attributes.SESSION: session,
                attributes.TENANT: tenant,
                attributes.WAITING: waiting,
            },
        )
        return tuple([await _view(found) for found in await self._search("the list of runs", search, limit)])


def _status(execution: WorkflowExecution | WorkflowExecutionDescription) -> RunStatus:
    return _STATUS[execution.status] if execution.status else RunStatus.RUNNING


def _stamped(result: RunResult, status: IdempotencyStatus) -> RunResult:
    return result.model_copy(update={"idempotency_status": status})


async def _view(execution: WorkflowExecution) -> RunView:
    began: datetime | None = await execution.memo_value(STARTED, None, type_hint=datetime)
    status, found = _status(execution), execution.typed_search_attributes
    return RunView(
        run=execution.id,
        status=status,
        waiting=(found.get(attributes.WAITING) or None) if status is RunStatus.RUNNING else None,
        profile=found.get(attributes.PROFILE, ""),
        session=found.get(attributes.SESSION, ""),
        tenant=found.get(attributes.TENANT, ""),
        started_at=min(began or execution.start_time, execution.start_time),
        ended_at=execution.close_time,
    )


def _retrying(execution: WorkflowExecutionDescription) -> tuple[Retry, ...]:
    failed = [one for one in execution.raw_description.pending_activities if one.HasField("last_failure")]
    return tuple([_retry(one) for one in failed])


def _retry(pending: PendingActivityInfo) -> Retry:
    waits = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return Retry(
        activity=pending.activity_type.name,
        attempt=pending.attempt,
        next_at=pending.next_attempt_schedule_time.ToDatetime(UTC) if waits else None,
        error=pending.last_failure.message,
    )


def _end(run: str, cause: BaseException) -> SurefootError:
    if isinstance(cause, CancelledError):
        return RunCancelled(f"run {run!r} was cancelled")
    if isinstance(cause, ApplicationError):
        return RunFailed(cause.message, cause.type or "ApplicationError", detail(cause, RunFailure))
    return RunFailed(f"run {run!r} ended without an answer: {cause}", type(cause).__name__)
