"""Clearing a model call: the guardrail check, and the waits until it lets the run go on."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutError

from activities.guardrails import GuardrailActivities
from surefoot.contracts.budgets import Hold
from surefoot.contracts.conversation import MAX_MESSAGE, size_in_bytes
from surefoot.contracts.guardrails import Answer, GuardrailDecision, GuardrailRequest
from surefoot.contracts.runs import Phase
from surefoot.errors import ErrorType
from workflows import guard_news, outages, policies
from workflows.budgeting import own_breakers, scopes
from workflows.errands import MAX_INPUT, TooLarge, TooLong, Wanted
from workflows.patience import Patience
from workflows.run import Run

BY_REFERENCE = "transcripts"
"""Names the change for runs that ended because their whole conversation was larger than a message may be."""
SHORTENS = "shortens_what_cannot_travel"
"""Names the change for runs that ended because what had to be sent was too large."""
NO_NEWS = {"downgraded": False, "fell_back": False}
"""Which model gives a summary is no news."""


class Clearance:
    """Asks the guardrails before each model call of one run, under a new hold id each time."""

    def __init__(self, run: Run, holds: tuple[Hold, ...]) -> None:
        self._run = run
        self._holds = 0
        self.holds = {hold.id: hold for hold in holds}
        """Held and not known to be used or given back, by id."""
        self._bends = ""
        """Which model there was in place of another, and why, when it was asked for last."""

    async def granted(self, wanted: Wanted, refused: tuple[str, ...]) -> GuardrailDecision:
        """Ask until a model may be called, and return the model and the hold.

        ``refused`` are models whose circuit is half-open, with its probe under way: others are tried first. Raises
        the run's typed end, or ``TooLong``.
        """
        self._holds += 1
        while True:
            decision = await self._checked(wanted, refused)
            if decision.hold:
                self.holds[decision.hold.id] = decision.hold
            await guard_news.store_seen(self._run, decision.store)
            self._run.state = self._run.state.checked(decision)
            await self._tell_of(decision, wanted)
            match decision.answer:
                case Answer.GO:
                    return decision
                case Answer.IN_FLIGHT:
                    await self._run.sleep(_wait(decision, policies.BUDGET_PATIENCE), Phase.WAITING_FOR_BUDGET)
                case Answer.NO_MODEL:
                    patience = policies.PROBE_PATIENCE if refused else policies.MODEL_PATIENCE
                    await self._run.sleep(_wait(decision, patience), Phase.WAITING_FOR_MODEL)
                    refused = ()
                    self._run.state = self._run.state.model_copy(update={"avoid": ()})
                case Answer.TOO_LONG:
                    raise TooLong(decision.model or "", decision.context_tokens)
                case _:
                    raise self._run.end(ErrorType.BUDGET_EXHAUSTED, decision.reason, decision.tight_scope)

    async def _checked(self, wanted: Wanted, refused: tuple[str, ...]) -> GuardrailDecision:
        """One guardrail check; while Redis is away the run waits here, not in a worker's memory."""
        patience = Patience(self._run)
        while True:
            self._run.enter(Phase.CHECKING)
            request = self._request(wanted, refused)
            try:
                decision = await workflow.execute_local_activity_method(
                    GuardrailActivities.check,
                    request,
                    schedule_to_close_timeout=policies.CHECK_TIMEOUT,
                    retry_policy=policies.CHECK_RETRY,
                )
            except FailureError as error:
                if not _store_is_away(error):
                    raise
                await patience.wait("the guardrail check before a model call got no answer", error)
            else:
                await outages.over(self._run)
                decision = decision.read(request)
                return decision if wanted.essential else decision.model_copy(update=NO_NEWS)

    def _request(self, wanted: Wanted, refused: tuple[str, ...]) -> GuardrailRequest:
        run, profile, state = self._run, self._run.profile, self._run.state
        self._refuse_what_is_too_large(wanted)
        return GuardrailRequest(
            hold_id=f"{workflow.info().run_id}/{self._holds}",
            tenant=run.request.tenant,
            scopes=scopes(run.request, profile),
            ladder=wanted.ladder,
            fallback=wanted.fallback,
            avoid=(*state.avoid, *refused),
            tools=tuple(tool.name for tool in profile.tools),
            own_breakers=own_breakers(profile),
            size=wanted.size,
            output_tokens=wanted.output_tokens,
            unsettled=state.unsettled,
            heeds_context=wanted.heeds_context,
            context_tokens=profile.limits.context_tokens,
            contexts=state.contexts,
        )

    def _refuse_what_is_too_large(self, wanted: Wanted) -> None:
        sizes = [size_in_bytes((message,)) for message in self._run.state.sent]
        if sum(sizes) <= MAX_MESSAGE:
            return
        travelling = sum(sizes[len(sizes) - len(self._run.state.unkept) :])
        if wanted.essential and travelling > MAX_INPUT and max(sizes) <= MAX_MESSAGE and workflow.patched(SHORTENS):
            raise TooLarge(wanted.ladder[0], travelling)
        limits = [("a message", max(sizes), MAX_MESSAGE), ("what has to be sent", travelling, MAX_INPUT)]
        if not workflow.patched(BY_REFERENCE):
            limits = [("the conversation", sum(sizes), MAX_MESSAGE)]
        for what, size, most in limits:
            if size > most:
                raise self._run.end(ErrorType.PAYLOAD_TOO_LARGE, f"{what} is {size} bytes; at most {most} fit")

    async def _tell_of(self, decision: GuardrailDecision, wanted: Wanted) -> None:
        await guard_news.transitions(self._run, decision.transitions)
        await guard_news.crossings(self._run, decision.crossings)
        await guard_news.drifts(self._run, decision.drifts)
        bent = decision.model is None or decision.fell_back
        for circuit in (*(decision.open_models if bent else ()), *decision.open_tools):
            await guard_news.breaker_open(self._run, circuit.name, circuit.episode)
        if decision.answer is Answer.EXHAUSTED and decision.tight_scope and wanted.essential:
            await guard_news.stopped_by_budget(self._run, decision.tight_scope, decision.store)
        bends = f"{decision.model}: {decision.reason}" if decision.downgraded or decision.fell_back else ""
        if bends and bends != self._bends:
            self._run.note(bends)
        self._bends = bends


def _wait(decision: GuardrailDecision, default: timedelta) -> timedelta:
    return max(decision.retry_after or default, policies.SHORTEST_WAIT)


def _store_is_away(error: FailureError) -> bool:
    """A local activity's failure comes as it is where the worker raised it, and wrapped where it timed out."""
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError):
        return cause.type == ErrorType.STORE_UNAVAILABLE
    return isinstance(cause, TimeoutError)
