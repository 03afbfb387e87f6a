"""A workflow of the run's name and shape that does as its prompt says."""

from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

from surefoot.contracts.approvals import ApprovalDecision, ApprovalOutcome, ApprovalRequest
from surefoot.contracts.runs import Phase, RunFailure, RunProgress, RunRequest, RunResult, Step
from surefoot.errors import ErrorType

ASKED = datetime(2026, 1, 1, tzinfo=UTC)
WAITING = SearchAttributeKey.for_keyword("Waiting")


@workflow.defn(name="AgentWorkflow")
class StandInRun:
    """The prompt's first word says how the run ends: ``say``, ``fail``, ``exhaust``, ``wait`` or ``ask``."""

    @workflow.init
    def __init__(self, request: RunRequest) -> None:
        self._request = request
        self._asked: ApprovalRequest | None = None
        self._decision: ApprovalDecision | None = None

    @workflow.run
    async def run(self, request: RunRequest) -> RunResult:
        how, _, rest = request.prompt.partition(" ")
        if how in ("fail", "exhaust"):
            type = ErrorType.BUDGET_EXHAUSTED if how == "exhaust" else ErrorType.TURNS_EXHAUSTED
            failure = RunFailure(reason="it was told to", partial=RunResult(text="half an answer", turns=2))
            raise ApplicationError("the run was told to fail", failure, type=type, non_retryable=True)
        if how == "wait":
            await workflow.sleep(timedelta(hours=1))
        if how == "ask":
            return await self._ask()
        return RunResult(text=rest, turns=1)

    async def _ask(self) -> RunResult:
        self._asked = ApprovalRequest(
            id="ask-1",
            call_id="c1",
            tool="publish_summary",
            arguments={"summary": "short\x1b[31m"},
            effect_key="e1",
            asked_at=ASKED,
            expires_at=ASKED + timedelta(days=1),
        )
        workflow.upsert_search_attributes([WAITING.value_set("approval")])
        await workflow.wait_condition(lambda: self._decision is not None)
        workflow.upsert_search_attributes([WAITING.value_unset()])
        assert self._decision is not None
        told = self._decision.feedback or (self._decision.arguments or self._asked.arguments)["summary"]
        return RunResult(text=f"{self._decision.verdict} by {self._decision.by}: {told}", turns=1)

    @workflow.query
    def progress(self) -> RunProgress:
        open_ = self._asked is not None and self._decision is None
        return RunProgress(
            phase=Phase.WAITING_FOR_APPROVAL if open_ else Phase.THINKING,
            turn=1,
            model="scripted:one",
            text="thinking aloud\x1b]0;owned\x07",
            steps=(Step(turn=1, what="called the model", at=ASKED),),
            approvals=(self._asked,) if open_ and self._asked else (),
            result=RunResult(text=""),
        )

    @workflow.update
    async def decide(self, decision: ApprovalDecision) -> ApprovalOutcome:
        self._decision = decision
        return ApprovalOutcome(
            request_id=decision.request_id, verdict=decision.verdict, by=decision.by, decided_at=workflow.now()
        )

    @decide.validator
    def _check(self, decision: ApprovalDecision) -> None:
        if self._asked is None or self._decision is not None or decision.request_id != self._asked.id:
            raise ApplicationError(f"approval {decision.request_id!r} is not open")
