"""The human gate: a tool call waits here until someone decides about exactly what they were shown."""

from datetime import datetime, timedelta

from surefoot.contracts.approvals import ApprovalDecision, ApprovalOutcome, ApprovalRequest, Verdict
from surefoot.contracts.base import Message
from surefoot.contracts.tools import ToolCall
from surefoot.errors import InvalidInput, NotFound
from surefoot.idempotency import approval_id
from surefoot.schema import normalised


class AskedCall(Message):
    """A call about which people are asked, with the decision once there is one."""

    request: ApprovalRequest
    call: ToolCall
    decision: ApprovalDecision | None = None


class ApprovalGate:
    """Keeps the open requests and the decisions about them; a closed request takes no decision."""

    def __init__(self, asked: int = 0, asked_calls: tuple[AskedCall, ...] = ()) -> None:
        """``asked`` counts the requests of the whole run; ``asked_calls`` are those that an earlier history left."""
        self.asked = asked
        self._asked = {one.request.id: one for one in asked_calls}

    @property
    def open_requests(self) -> tuple[ApprovalRequest, ...]:
        return tuple(one.request for one in self._asked.values() if one.decision is None)

    @property
    def asked_calls(self) -> tuple[AskedCall, ...]:
        """Those whose wait has not ended."""
        return tuple(self._asked.values())

    def asked_about(self, call_id: str) -> AskedCall | None:
        return next((one for one in self._asked.values() if one.request.call_id == call_id), None)

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
        self._asked[request.id] = AskedCall(request=request, call=call)
        return request

    def check(self, decision: ApprovalDecision) -> None:
        """Refuse a decision that does not answer an open request, or edits arguments into invalid ones.

        Raises ``NotFound`` or ``InvalidInput``.
        """
        asked = self._asked.get(decision.request_id)
        if asked is None or asked.decision is not None:
            known = ", ".join(request.id for request in self.open_requests) or "none"
            raise NotFound(f"no open approval request {decision.request_id!r}; open: {known}")
        if decision.arguments is not None:
            if decision.verdict is Verdict.REJECT:
                raise InvalidInput("a rejection takes feedback, not edited arguments")
            normalised(asked.call.contract.parameters, decision.arguments)

    def decide(self, decision: ApprovalDecision, *, at: datetime) -> ApprovalOutcome:
        asked = self._asked[decision.request_id]
        self._asked[decision.request_id] = asked.model_copy(update={"decision": decision})
        return ApprovalOutcome(request_id=decision.request_id, verdict=decision.verdict, by=decision.by, decided_at=at)

    def is_decided(self, request_id: str) -> bool:
        return self._asked[request_id].decision is not None

    def close(self, request_id: str) -> ApprovalDecision | None:
        """End the wait for a request: the decision about it, or None if it has expired undecided."""
        return self._asked.pop(request_id).decision
