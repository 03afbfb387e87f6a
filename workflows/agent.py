"""The agent: observe, think, act, until there is an answer."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from activities.guardrails import GuardrailActivities
from activities.profiles import ProfileActivities
from surefoot import attributes
from surefoot.contracts.approvals import ApprovalDecision, ApprovalOutcome
from surefoot.contracts.base import JsonObject
from surefoot.contracts.guardrails import Books
from surefoot.contracts.incidents import IncidentKind
from surefoot.contracts.models import Finish, ModelReply
from surefoot.contracts.profiles import Profile, ProfileRequest
from surefoot.contracts.runs import Phase, RunProgress, RunRequest, RunResult, RunStatus, Transcript
from surefoot.errors import ErrorType
from workflows import guard_news, outages, policies
from workflows.approval import ApprovalGate
from workflows.carried import Carried, RunInput, is_due
from workflows.deeds import Deeds
from workflows.model_call import ModelCalls
from workflows.run import Run
from workflows.state import Stopwatch
from workflows.tool_run import ToolRuns
from workflows.unhindered import unhindered

REBUKES = 2
"""How often in a row a model is told that its answer was empty or malformed."""
TOLD_ALREADY = {ErrorType.BUDGET_EXHAUSTED, ErrorType.INVALID_PROFILE}
"""Ends that have an incident of their own, or are the caller's mistake."""
RESULTS = {"unsettled": {"__all__": {"content"}}}
"""Of the books: what tools answered is the run's alone, and may be large."""


@workflow.defn
class AgentWorkflow:
    """One run: a prompt in, an answer out, or a typed error with what there is of one."""

    @workflow.init
    def __init__(self, request: RunInput) -> None:
        carried = request.carried
        self._run = Run(request.model_copy(update={"carried": None}))
        if carried:
            clock = Stopwatch(carried.started, carried.excluded)
            self._run.resume(carried.profile, carried.state, clock, carried.steps)
            self._run.model = carried.model
        self._gate = ApprovalGate(carried.asked if carried else 0)
        self._models = ModelCalls(self._run, carried.holds if carried else ())
        self._tools = ToolRuns(self._run, self._gate, carried.deeds if carried else Deeds())
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
        while True:
            if is_due(run, self._begun_at):
                await self._continue()
            if run.state.turn >= run.profile.limits.max_turns:
                raise run.end(ErrorType.TURNS_EXHAUSTED, f"no answer after {run.state.turn} turns")
            reply = await self._models.next_reply()
            if reply.message.calls:
                run.note(f"asks for {', '.join(call.tool or 'a nameless tool' for call in reply.message.calls)}")
                results = await self._tools.observe(reply.message.calls)
                run.state = run.state.observed(results)
            elif reply.message.text.strip() and reply.finish is not Finish.MALFORMED_CALL:
                return
            else:
                self._rebuke(reply)

    async def _continue(self) -> None:
        """Go on in a new history. A cancellation or the deadline comes first."""
        run = self._run
        run.heed_end()
        await workflow.wait_condition(workflow.all_handlers_finished)
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
        )
        workflow.continue_as_new(RunInput.model_validate({**run.request.model_dump(), "carried": carried}))

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
        await self._close_books()
        workflow.upsert_search_attributes([attributes.STATUS.value_set(status)])
        run.status = status
        run.enter(Phase.ENDED)
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _close_books(self) -> None:
        run = self._run
        books = Books(holds=self._models.open_holds, unsettled=run.state.unsettled)
        if not books.holds and not books.unsettled:
            return
        try:
            closed = await workflow.execute_activity_method(
                GuardrailActivities.close_books,
                books,
                start_to_close_timeout=policies.CLOSE_TIMEOUT,
                schedule_to_close_timeout=run.profile.limits.store_wait,
                retry_policy=policies.CLOSE_RETRY,
                summary="book what is left",
            )
        except ActivityError as error:
            left: JsonObject = {"unsettled": books.model_dump(mode="json", exclude=RESULTS)}
            await run.tell(
                run.report(
                    IncidentKind.RUN_FAILED,
                    workflow.info().workflow_id,
                    f"{workflow.info().run_id}/books",
                    f"What the run spent or did could not be booked: {error.cause}.",
                    left,
                )
            )
        else:
            await outages.over(run)
            await guard_news.store_seen(run, closed.store)
            await guard_news.transitions(run, closed.transitions)
            await guard_news.crossings(run, closed.crossings)
            await guard_news.drifts(run, closed.drifts)

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
