"""Model calls that incidents make for themselves: one attempt, a short time, a small budget of their own."""

import uuid
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.llm import LlmActivities
from surefoot.contracts.breakers import BreakerPolicy
from surefoot.contracts.budgets import NANOS_PER_DOLLAR, BudgetLimit, BudgetWindow, Hold, Scope, ScopeKind, dollars
from surefoot.contracts.conversation import size_in_bytes
from surefoot.contracts.models import ModelCall, ModelReply, Prompt
from surefoot.errors import ErrorType, ModelFailed, StoreUnavailable, SurefootError, UnknownModel, detail
from surefoot.ports import Guards, Pricing, Reservation, Rung

TENANT = "surefoot"
"""Whose money it is; no run is started for this tenant's own sake."""
SUBJECT = "incidents"
BUDGET = BudgetLimit(limit=NANOS_PER_DOLLAR // 2, window=BudgetWindow.DAY)
ENVELOPE = 1024
"""Bytes for what a provider's format adds to the words."""
FAILED = (ErrorType.MODEL_UNAVAILABLE, ErrorType.MODEL_REFUSED)


class NoAnswer(SurefootError):
    """The model was not asked, or did not answer in time; the message says why."""


class SmallCalls:
    """Pays like a run does: nothing is sent without a hold, and the model's breaker is asked and told."""

    def __init__(self, llm: LlmActivities, guards: Guards, pricing: Pricing, budget: BudgetLimit = BUDGET) -> None:
        self._llm = llm
        self._guards = guards
        self._pricing = pricing
        self._scope = Scope(kind=ScopeKind.USER, subject=SUBJECT, budget=budget)

    async def ask(self, prompt: Prompt, within: timedelta) -> ModelReply:
        """Call the model once. Raises ``NoAnswer``, and ``StoreUnavailable``, after which nothing was sent."""
        hold = await self._held(prompt)
        call = ModelCall(prompt=prompt, hold=hold, breaker=BreakerPolicy(), turn=1, deadline=within, idle_limit=within)
        try:
            reply = await self._llm.generate(call)
        except ApplicationError as error:
            if error.type == ErrorType.STORE_UNAVAILABLE:
                raise StoreUnavailable(error.message) from error
            _tell(detail(error, ModelFailed) if error.type in FAILED else None)
            raise NoAnswer(error.message) from error
        _tell(reply)
        return reply

    async def _held(self, prompt: Prompt) -> Hold:
        size = len(prompt.system.encode()) + size_in_bytes(prompt.messages) + ENVELOPE
        try:
            bound = self._pricing.bound(prompt.model, input_tokens=size, output_tokens=prompt.max_output_tokens)
        except UnknownModel as error:
            raise NoAnswer(str(error)) from error
        reserved = await self._guards.reserve(
            Reservation(
                hold_id=f"incidents/{uuid.uuid4()}",
                tenant=TENANT,
                scopes=(self._scope,),
                rungs=(Rung(prompt.model, bound),),
                output_tokens=prompt.max_output_tokens,
                breakers=(),
            )
        )
        if reserved.hold is None:
            limit = dollars(self._scope.budget.limit)
            raise NoAnswer(
                f"the call may cost ${dollars(bound)}, and the incidents' ${limit} a day leave no room for it"
            )
        return reserved.hold


def _tell(end: ModelReply | ModelFailed | None) -> None:
    """In the log: no run is there to open an incident. The next run that meets an open breaker opens it."""
    for news in (*end.transitions, *end.crossings, *end.drifts, *end.unsettled) if end else ():
        activity.logger.warning("A call for an incident brought about: %s", news)


class Unheard:
    """The words of these calls are nobody's to follow."""

    async def publish(self, run_id: str, turn: int, text: str) -> None:
        """Nothing is kept."""
