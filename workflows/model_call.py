"""A turn's model call: cleared by the guardrails, sent, and on failure given to the fallback or waited for."""

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    TimeoutError,
    TimeoutType,
    is_cancelled_exception,
)

from activities.llm import LlmActivities
from surefoot.contracts.base import JsonObject
from surefoot.contracts.budgets import Hold
from surefoot.contracts.guardrails import GuardrailDecision
from surefoot.contracts.incidents import IncidentKind
from surefoot.contracts.models import ModelReply
from surefoot.errors import CircuitOpen, ErrorType, ModelFailed, detail
from workflows import guard_news, outages, policies
from workflows.clearance import Clearance
from workflows.condensing import condense
from workflows.errands import Errand, TooLong, Turn
from workflows.reporting import Told
from workflows.run import Run

TOLD = {
    ErrorType.MODEL_UNAVAILABLE,
    ErrorType.MODEL_REFUSED,
    ErrorType.STORE_UNAVAILABLE,
    ErrorType.TRANSCRIPT_MISSING,
}
"""Ends of a model activity that tell what the call cost and changed."""
SETTLED = (TOLD - {ErrorType.STORE_UNAVAILABLE}) | {ErrorType.CIRCUIT_OPEN, ErrorType.BUDGET_EXHAUSTED}
"""Ends of a model activity that leave nothing of its hold but what is told as unsettled. Without Redis an earlier
attempt's may be left, which the end of the run charges."""
OUTAGES_AN_HOUR = 20
"""Outages of a model that are told; what comes after them is in the runs' steps alone."""
OUTAGES_OF_A_STORE = "outages_of_a_store"
"""Names the change for runs whose outages two fleets of one namespace would have shared."""
OUTAGES_SINCE = "outages_of_an_hour"
"""Names the change for runs that told an incident too late when one an hour was all there was."""


class ModelCalls:
    """Makes the model calls of one run. What a call has used is in the run's state before the next one is cleared."""

    def __init__(self, run: Run, holds: tuple[Hold, ...]) -> None:
        """``holds`` are those that an earlier history of the run has left open."""
        self._run = run
        self._clearance = Clearance(run, holds)
        self._refused: tuple[str, ...] = ()

    @property
    def open_holds(self) -> tuple[Hold, ...]:
        """Holds of calls that may never have begun."""
        return tuple(self._clearance.holds.values())

    async def next_reply(self) -> ModelReply:
        """Return the model's next answer; raises the run's typed end.

        Where what was said is too long for the model, older turns are summarised first: once if that is reckoned,
        and once more if the provider says so.
        """
        condensed = None
        while True:
            try:
                return await self._reply(Turn(self._run, heeds_context=condensed is None))
            except TooLong as too_long:
                again = condensed is not None and condensed.refused
                shorter = not again and await condense(self._run, too_long, self._reply)
                if too_long.refused and not shorter:
                    raise self._run.end(too_long.kind, str(too_long)) from too_long
                condensed = too_long

    async def _reply(self, errand: Errand) -> ModelReply:
        """An answer, of whichever model gives one; raises the run's typed end, or ``TooLong``."""
        self._refused = ()
        while True:
            self._run.heed_end()
            decision = await self._clearance.granted(errand.wanted, self._refused)
            try:
                reply = await self._call(errand, decision)
            except ActivityError as error:
                await self._failed(decision, error)
            else:
                await outages.unsettled(self._run, reply.unsettled)
                await guard_news.store_seen(self._run, reply.store)
                await guard_news.transitions(self._run, reply.transitions)
                await guard_news.crossings(self._run, reply.crossings)
                await guard_news.drifts(self._run, reply.drifts)
                return reply

    async def _call(self, errand: Errand, decision: GuardrailDecision) -> ModelReply:
        run, profile, call = self._run, self._run.profile, errand.call(decision)
        run.model = call.prompt.model
        run.enter(errand.phase)
        reply = await workflow.execute_activity_method(
            LlmActivities.generate,
            call,
            start_to_close_timeout=profile.limits.model_deadline + policies.MODEL_OVERHEAD,
            schedule_to_close_timeout=run.within(policies.MODEL_WINDOW),
            heartbeat_timeout=profile.heartbeat,
            retry_policy=policies.model_retry(profile.limits.model_attempts),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=errand.title(call.prompt.model),
        )
        del self._clearance.holds[call.hold.id]
        errand.take(decision, reply)
        return reply

    async def _failed(self, decision: GuardrailDecision, error: ActivityError) -> None:
        """Decide what a failed call means: return to try another way, or raise the run's end."""
        if is_cancelled_exception(error):
            raise error
        run, cause, model = self._run, error.cause, decision.model or ""
        kind = cause.type if isinstance(cause, ApplicationError) else None
        if decision.hold and kind in SETTLED:
            self._clearance.holds.pop(decision.hold.id)
        failed = detail(cause, ModelFailed) if isinstance(cause, ApplicationError) and kind in TOLD else None
        if failed:
            await self._learnt(failed)
        run.heed_end()
        if isinstance(cause, ApplicationError) and kind == ErrorType.CIRCUIT_OPEN:
            self._refused = (*self._refused, model)
            await self._circuit_opened(cause)
        elif failed and failed.context_tokens:
            run.state = run.state.model_copy(update={"contexts": {**run.state.contexts, model: failed.context_tokens}})
            raise TooLong(model, failed.context_tokens, refused=True) from error
        elif isinstance(cause, ApplicationError) and kind == ErrorType.MODEL_REFUSED:
            raise run.end(ErrorType.MODEL_REFUSED, str(cause.message)) from error
        elif kind == ErrorType.TRANSCRIPT_MISSING:
            run.state = run.state.model_copy(update={"kept": None})
            run.note(f"{cause}: the whole conversation is sent again")
        elif kind in (ErrorType.BUDGET_EXHAUSTED, ErrorType.STORE_UNAVAILABLE):
            run.note(f"{model}: {cause}")
        elif kind == ErrorType.MODEL_UNAVAILABLE or isinstance(cause, TimeoutError):
            await self._retries_spent(model, failed.message if failed else _timed_out(cause))
        else:
            raise run.end(ErrorType.MODEL_REFUSED, f"{model}: {cause}") from error

    async def _circuit_opened(self, cause: ApplicationError) -> None:
        opened = detail(cause, CircuitOpen)
        if opened and opened.transition:
            await guard_news.transitions(self._run, (opened.transition,))
        elif opened:
            await guard_news.breaker_open(self._run, opened.name, opened.episode)
        if opened:
            await guard_news.crossings(self._run, opened.crossings)
            await guard_news.drifts(self._run, opened.drifts)

    async def _learnt(self, failed: ModelFailed) -> None:
        run = self._run
        await outages.unsettled(run, failed.unsettled)
        await guard_news.store_seen(run, failed.store)
        await guard_news.transitions(run, failed.transitions)
        await guard_news.crossings(run, failed.crossings)
        await guard_news.drifts(run, failed.drifts)

    async def _retries_spent(self, model: str, why: str) -> None:
        run = self._run
        run.state = run.state.model_copy(update={"avoid": (*run.state.avoid, model)})
        summary = f"All attempts to call {model} failed: {why}"
        await self._tell_of_outage(model, why, summary)
        run.note(summary)

    async def _tell_of_outage(self, model: str, why: str, summary: str) -> None:
        """One incident for each outage of an hour. One that is over belongs to an outage before: the next is opened."""
        run = self._run
        facts: JsonObject = {
            "model": model,
            "error": why,
            "attempts": run.profile.limits.model_attempts,
            "fallback": ", ".join(run.profile.fallback) or None,
            "fallbacks": [other for other in (*run.profile.ladder, *run.profile.fallback) if other != model],
        }
        hour = f"{workflow.now():%Y%m%dT%H}"
        if workflow.patched(OUTAGES_OF_A_STORE):
            hour = f"{run.state.store}:{hour}"
        for number in range(1, OUTAGES_AN_HOUR + 1):
            episode = hour if number == 1 else f"{hour}-{number}"
            report = run.report(IncidentKind.MODEL_OUTAGE, model, episode, summary, facts, tenant=guard_news.FLEET)
            told = await run.tell(report)
            if told is not Told.LATE or not workflow.patched(OUTAGES_SINCE):
                return


def _timed_out(cause: BaseException | None) -> str:
    silent = isinstance(cause, TimeoutError) and cause.type is TimeoutType.HEARTBEAT
    return "the worker was lost" if silent else "it took too long"
