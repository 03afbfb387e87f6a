"""The agent: observe, think, act, until there is an answer."""

import asyncio
from collections.abc import Coroutine

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from activities.profiles import ProfileActivities
from surefoot import attributes
from surefoot.contracts.approvals import ApprovalDecision, ApprovalOutcome
from surefoot.contracts.conversation import ToolMessage
from surefoot.contracts.incidents import IncidentKind
from surefoot.contracts.models import Finish, ModelReply
from surefoot.contracts.profiles import Profile, ProfileRequest
from surefoot.contracts.runs import Phase, RunProgress, RunRequest, RunResult, RunStatus, Transcript
from surefoot.errors import ErrorType
from workflows import policies
from workflows.approval import ApprovalGate
from workflows.carried import CONTINUES, CONTINUES_WAITING, Carried, RunInput, fits, is_long
from workflows.closing import close_books
from workflows.deeds import Deeds
from workflows.model_call import ModelCalls
from workflows.run import Run
from workflows.tool_run import ToolRuns
from workflows.turns import Turns
from workflows.unhindered import unhindered

REBUKES = 2
"""How often in a row a model is told that its answer was empty or malformed."""
TOLD_ALREADY = {ErrorType.BUDGET_EXHAUSTED, ErrorType.INVALID_PROFILE}
"""Ends that have an incident of their own, or are the caller's mistake."""


@workflow.defn
class AgentWorkflow:
    """One run: a prompt in, an answer out, or a typed error with what there is of one."""

    @workflow.init
    def __init__(self, request: RunInput) -> None:
        carried = request.carried
        self._run = Run(request.model_copy(update={"carried": None}))
        if carried:
            self._run.resume(carried.profile, carried.state, carried.clock, carried.steps)
            self._run.model = carried.model
        begun = carried.turn if carried else None
        self._gate = ApprovalGate(carried.asked if carried else 0, begun.asked if begun else ())
        self._models = ModelCalls(self._run, carried.holds if carried else ())
        self._tools = ToolRuns(self._run, self._gate, carried.deeds if carried else Deeds())
        self._turns = Turns(self._run, self._tools, self._gate, begun)
        self._begun_at = self._run.state.turn

    @workflow.run
    async def run(self, request: RunInput) -> RunResult:
        try:
            if not self._run.is_pinned:
                self._run.pin(await self._pinned(request))
            await self._converse()
        except ApplicationError as error:
            raise await unhindered(self._failed(error)) from error.__cause__
        except BaseException as error:
            if is_cancelled_exception(error) and workflow.cancellation_reason() is not None:
                await unhindered(self._cancelled())
            raise
        await unhindered(self._close(RunStatus.COMPLETED))
        return self._run.state.result(RunStatus.COMPLETED)

    async def _converse(self) -> None:
        run = self._run
        if run.state.calls:  # an earlier history has begun this turn
            await self._act(self._turns.finish(run.state.calls))
        while True:
            if self._is_due and workflow.patched(CONTINUES):
                run.heed_end()
                await self._continue()
            if run.state.turn >= run.profile.limits.max_turns:
                raise run.end(ErrorType.TURNS_EXHAUSTED, f"no answer after {run.state.turn} turns")
            reply = await self._models.next_reply()
            if reply.message.calls:
                run.note(f"asks for {', '.join(call.tool or 'a nameless tool' for call in reply.message.calls)}")
                await self._act(self._turns.observe(reply.message.calls))
            elif reply.message.text.strip() and reply.finish is not Finish.MALFORMED_CALL:
                return
            else:
                self._rebuke(reply)

    @property
    def _is_due(self) -> bool:
        """Whether the run should go on in a new history; not from one that has brought it no further."""
        has_moved = self._run.state.turn != self._begun_at or self._turns.has_told
        return has_moved and is_long(self._run) and fits(self._next_input)

    async def _act(self, turn: Coroutine[None, None, tuple[ToolMessage, ...]]) -> None:
        """See the turn's calls through, in a new history where this one is long and all that is open can wait."""
        run, turns, acting = self._run, self._turns, asyncio.create_task(turn)
        try:
            await workflow.wait_condition(lambda: acting.done() or (turns.rests and self._is_due))
            if not acting.done() and workflow.patched(CONTINUES_WAITING):
                await self._continue()
        except asyncio.CancelledError:
            acting.cancel()
        run.state = run.state.observed(await acting)

    async def _continue(self) -> None:
        """Go on in a new history."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._next_input)

    @property
    def _next_input(self) -> RunInput:
        """What a new history would begin with."""
        run = self._run
        carried = Carried(
            profile=run.profile,
            state=run.state,
            steps=tuple(run.steps),
            started=run.clock.started,
            excluded=run.clock.excluded,
            deeds=self._tools.deeds,
            asked=self._gate.asked,
            holds=self._models.open_holds,
            model=run.model,
            turn=self._turns.open,
        )
        return RunInput.model_validate({**run.request.model_dump(), "carried": carried})

    def _rebuke(self, reply: ModelReply) -> None:
        """The model can mend an empty or malformed answer itself, twice at most."""
        run = self._run
        wrong = "a malformed tool call" if reply.finish is Finish.MALFORMED_CALL else "empty"
        if run.state.rebukes >= REBUKES:
            raise run.end(ErrorType.MODEL_REFUSED, f"{reply.model} answered {run.state.rebukes + 1} times {wrong}")
        run.note(f"the answer was {wrong}")
        run.state = run.state.rebuked(f"Your last answer was {wrong}. Answer again, in words or with a valid call.")

    async def _pinned(self, request: RunRequest) -> Profile:
        try:
            return await workflow.execute_local_activity_method(
                ProfileActivities.pin,
                ProfileRequest(name=request.profile),
                schedule_to_close_timeout=policies.PIN_TIMEOUT,
                retry_policy=policies.PIN_RETRY,
            )
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            raise self._run.end(ErrorType.INVALID_PROFILE, error.message) from error

    async def _failed(self, error: ApplicationError) -> ApplicationError:
        """Tell people, close the books, and return the error with what there is now."""
        run = self._run
        if error.type not in TOLD_ALREADY:
            await run.tell(
                run.report(
                    IncidentKind.RUN_FAILED,
                    workflow.info().workflow_id,
                    workflow.info().run_id,
                    f"The run failed: {error.message}.",
                    {"error": str(error.type), "turns": run.state.turn, "cost_nanos": run.state.usage.cost_nanos},
                )
            )
        await self._close(RunStatus.FAILED)
        return run.renewed(error)

    async def _cancelled(self) -> None:
        await self._tools.tell_of_cancelled()
        await self._close(RunStatus.CANCELLED)

    async def _close(self, status: RunStatus) -> None:
        run = self._run
        await close_books(run, self._models.open_holds)
        workflow.upsert_search_attributes([attributes.STATUS.value_set(status)])
        run.status = status
        run.enter(Phase.ENDED)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    def decide(self, decision: ApprovalDecision) -> ApprovalOutcome:
        """Approve or reject the tool call of an open approval request."""
        return self._gate.decide(decision, at=workflow.now())

    @decide.validator
    def _check(self, decision: ApprovalDecision) -> None:
        self._gate.check(decision)

    @workflow.query
    def progress(self) -> RunProgress:
        run = self._run
        return RunProgress(
            phase=run.phase,
            turn=run.state.turn,
            model=run.model,
            text=run.state.text,
            steps=tuple(run.steps),
            approvals=self._gate.open_requests,
            result=run.state.result(run.status),
        )

    @workflow.query
    def conversation(self) -> Transcript:
        run = self._run
        return Transcript(system=run.profile.system, messages=run.state.messages)
