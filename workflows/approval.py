"""The human gate: a tool call waits here until someone decides about exactly what they were shown."""

from datetime import datetime, timedelta

from surefoot.contracts.approvals import ApprovalDecision, ApprovalOutcome, ApprovalRequest, Verdict
from surefoot.contracts.tools import ToolCall
from surefoot.errors import InvalidInput, NotFound
from surefoot.idempotency import approval_id
from surefoot.schema import normalised


class ApprovalGate:
    """Keeps the open requests and the decisions about them; a closed request takes no decision."""

    def __init__(self, asked: int = 0) -> None:
        self.asked = asked
        self._open: dict[str, tuple[ApprovalRequest, ToolCall]] = {}
        self._decided: dict[str, ApprovalDecision] = {}

    @property
    def open_requests(self) -> tuple[ApprovalRequest, ...]:
        return tuple(request for request, _ in self._open.values())

    def ask(self, call: ToolCall, *, at: datetime, expires: timedelta) -> ApprovalRequest:
        """Open a request about a call."""
        self.asked += 1
        tool = call.contract.name
        request = ApprovalRequest(
            id=approval_id(tool, call.arguments, call.effect_key, self.asked),
            call_id=call.id,
            tool=tool,
            arguments=call.arguments,
            effect_key=call.effect_key,
            asked_at=at,
            expires_at=at + expires,
        )
        self._open[request.id] = (request, call)
        return request

    def check(self, decision: ApprovalDecision) -> None:
        """Refuse a decision that does not answer an open request, or edits arguments into invalid ones.

        Raises ``NotFound`` or ``InvalidInput``.
        """
        if decision.request_id not in self._open:
            known = ", ".join(self._open) or "none"
            raise NotFound(f"no open approval request {decision.request_id!r}; open: {known}")
        if decision.arguments is not None:
            if decision.verdict is Verdict.REJECT:
                raise InvalidInput("a rejection takes feedback, not edited arguments")
            _, call = self._open[decision.request_id]
            normalised(call.contract.parameters, decision.arguments)

    def decide(self, decision: ApprovalDecision, *, at: datetime) -> ApprovalOutcome:
        del self._open[decision.request_id]
        self._decided[decision.request_id] = decision
        return ApprovalOutcome(request_id=decision.request_id, verdict=decision.verdict, by=decision.by, decided_at=at)

    def is_decided(self, request_id: str) -> bool:
        return request_id in self._decided

    def close(self, request_id: str) -> ApprovalDecision | None:
        """End the wait for a request: the decision about it, or None if it has expired undecided."""
        self._open.pop(request_id, None)
        return self._decided.pop(request_id, None)
