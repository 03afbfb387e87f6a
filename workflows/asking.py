"""Waiting for a human: the run shows its question, stops its clock and goes on with the decision."""

import asyncio

from pydantic import JsonValue
from temporalio import workflow

from surefoot import attributes
from surefoot.contracts.approvals import ApprovalDecision, ApprovalRequest, Verdict
from surefoot.contracts.incidents import IncidentKind
from surefoot.contracts.profiles import ApprovalRule
from surefoot.contracts.runs import Phase
from surefoot.contracts.tools import ToolCall
from surefoot.schema import normalised
from workflows.approval import ApprovalGate, AskedCall
from workflows.run import Run


class Asking:
    """Asks about one call at a time or several at once; the run's clock stands still meanwhile."""

    def __init__(self, run: Run, gate: ApprovalGate) -> None:
        self._run = run
        self._gate = gate

    async def about(self, call: ToolCall, rule: ApprovalRule) -> dict[str, JsonValue] | str:
        """Return the arguments to run with, or the words that tell the model why not."""
        run = self._run
        request = self._gate.ask(call, at=workflow.now(), expires=rule.expires)
        run.note(f"{call.contract.name} waits for approval {request.id}")
        self._begin()
        return await self._answer(call, request)

    async def again(self, asked: AskedCall) -> dict[str, JsonValue] | str:
        """As ``about``, of a call about which an earlier history of the run has asked."""
        self._run.enter(Phase.WAITING_FOR_APPROVAL)
        return await self._answer(asked.call, asked.request)

    async def _answer(self, call: ToolCall, request: ApprovalRequest) -> dict[str, JsonValue] | str:
        run, expires = self._run, request.expires_at - request.asked_at
        decision = await self._decision(request)
        if decision is None:
            await run.tell(
                run.report(
                    IncidentKind.APPROVAL_EXPIRED,
                    call.contract.name,
                    f"{run.original_id}/{request.id}",
                    f"Nobody decided within {expires} about {call.contract.name}.",
                    {"tool": call.contract.name, "request": request.id, "arguments": call.arguments},
                )
            )
            return f"Nobody approved this call within {expires}, so it was not made. Tell the user."
        run.note(f"{call.contract.name}: {decision.verdict} by {decision.by}")
        if decision.verdict is Verdict.REJECT:
            feedback = decision.feedback or "no reason was given"
            return f"The call was rejected by a human and not made. Feedback: {feedback}"
        if decision.arguments is None:
            return call.arguments
        return normalised(call.contract.parameters, decision.arguments)

    async def _decision(self, request: ApprovalRequest) -> ApprovalDecision | None:
        """Wait for it, until the request expires."""
        try:
            if not self._gate.is_decided(request.id):
                await workflow.wait_condition(
                    lambda: self._gate.is_decided(request.id),
                    timeout=request.expires_at - workflow.now(),
                    timeout_summary="approval expires",
                )
        except TimeoutError:
            self._run.note(f"approval {request.id} expired")
        except asyncio.CancelledError:
            self._gate.close(request.id)
            self._end()  # not in a finally: that would also run when a worker drops the run from its cache
            raise
        decision = self._gate.close(request.id)
        self._end()
        return decision

    def _begin(self) -> None:
        run = self._run
        if len(self._gate.open_requests) == 1:
            workflow.upsert_search_attributes([attributes.WAITING.value_set("approval")])
        run.clock.wait_begins(workflow.now())
        run.enter(Phase.WAITING_FOR_APPROVAL)

    def _end(self) -> None:
        self._run.clock.wait_ends(workflow.now())
        if not self._gate.open_requests:
            workflow.upsert_search_attributes([attributes.WAITING.value_unset()])
            self._run.enter(Phase.ACTING)
