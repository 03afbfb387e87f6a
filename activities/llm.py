"""One model call: admitted, streamed, settled, reported."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import transcribing
from activities.heartbeat import Pulse, beating
from activities.model_bookings import booking, charged, classified, given_up, unsent
from activities.outside import Ended, ended
from activities.persistence import persisted
from activities.verdicts import brought_about, circuit_opened, refused
from activities.words import Words
from surefoot.contracts.breakers import Transition, Verdict
from surefoot.contracts.budgets import Charge
from surefoot.contracts.guardrails import BooksClosed
from surefoot.contracts.models import Generation, ModelBooking, ModelCall, ModelReply, Prompt, Spent, Usage, provider_of
from surefoot.crash_points import UNARMED, CrashPoint, CrashPoints
from surefoot.errors import (
    BudgetRefused,
    ErrorType,
    Fault,
    InvalidInput,
    ModelFailed,
    ProviderFailure,
    StoreUnavailable,
    Superseded,
    final,
    retryable,
)
from surefoot.ports import (
    Addition,
    Admitted,
    Guards,
    ModelPort,
    OverBudget,
    Pricing,
    Receipt,
    Refused,
    TextStream,
    Transcripts,
)

FORGETFUL = transcribing.Forgetful()


class LlmActivities:
    """Calls models. Every call is paid from a hold, and the hold is settled before the answer is returned."""

    def __init__(
        self,
        providers: Mapping[str, ModelPort],
        guards: Guards,
        pricing: Pricing,
        stream: TextStream,
        crash: CrashPoints = UNARMED,
        transcripts: Transcripts = FORGETFUL,
    ) -> None:
        self._providers = providers
        self._guards = guards
        self._pricing = pricing
        self._stream = stream
        self._crash = crash
        self._transcripts = transcripts

    @activity.defn(name="llm.generate")
    async def generate(self, call: ModelCall) -> ModelReply:
        async with beating() as pulse:
            provider = self._provider(call)
            prompt = await self._said(call, pulse)
            admitted = await self._admitted(call, _spent(pulse))
            try:
                outcome = await ended(self._generation(provider, call, prompt))
            except asyncio.CancelledError:
                await self._end(admitted, given_up(call, admitted))
                raise
            if outcome.error:
                failure = classified(call, outcome.error)
                raise await self._failed(call, admitted, failure, outcome.took, pulse) from outcome.error
            self._crash.reach(CrashPoint.BETWEEN_HOLD_AND_SETTLE)
            return await self._settled(call, admitted, outcome, pulse)

    def _provider(self, call: ModelCall) -> ModelPort:
        try:
            return self._providers[provider_of(call.prompt.model)]
        except (KeyError, InvalidInput) as error:
            message = f"no provider for {call.prompt.model!r} on this worker: {error}"
            raise final(ErrorType.MODEL_REFUSED, message) from error

    async def _said(self, call: ModelCall, pulse: Pulse) -> Prompt:
        """The prompt with the whole conversation. Without it nothing is sent, and the hold ends."""
        try:
            return await transcribing.whole(self._transcripts, call)
        except transcribing.Missing as missing:
            try:
                receipt = await self._guards.close_hold(call.hold)  # an earlier attempt may have used it
            except StoreUnavailable as error:
                raise _to_be_booked(call, str(error), unsent(call), _spent(pulse)) from error
            raise transcribing.missing(call, str(missing), _news(pulse, receipt), _spent(pulse)) from missing

    async def _admitted(self, call: ModelCall, spent: int) -> Admitted:
        """``spent`` on earlier attempts, which is told if this one may not be made."""
        try:
            entry = await self._guards.begin_model_call(call.hold, activity.info().attempt, call.breaker)
            if isinstance(entry, Refused):
                await self._guards.release(call.hold)
                raise refused(entry, spent)
        except Superseded as error:
            raise retryable(ErrorType.MODEL_UNAVAILABLE, str(error)) from error
        except StoreUnavailable as error:
            raise _to_be_booked(call, str(error), unsent(call), spent) from error
        except asyncio.CancelledError:
            await persisted(lambda: self._guards.book(unsent(call)))
            raise
        if isinstance(entry, OverBudget):
            details = BudgetRefused(scope=entry.scope, bound=call.hold.bound, cost=spent)
            raise final(ErrorType.BUDGET_EXHAUSTED, "the budget has no room for another attempt", details)
        return entry

    async def _generation(self, provider: ModelPort, call: ModelCall, prompt: Prompt) -> Generation:
        words = Words(self._stream, run_id=activity.info().workflow_id or "", turn=call.turn)

        async def say(piece: str) -> None:
            self._crash.reach(CrashPoint.MID_MODEL_CALL)
            if call.summary is None:  # which is for the model, and not for those who follow the run
                await words.say(piece)

        try:
            async with asyncio.timeout(call.deadline.total_seconds()):
                return await provider.generate(prompt, on_text=say, idle_limit=call.idle_limit)
        except TimeoutError as error:
            raise ProviderFailure(
                f"{call.prompt.model} did not finish within {call.deadline}",
                fault=Fault.RETRYABLE,
                verdict=Verdict.FAILURE,
                maybe_billed=True,
            ) from error

    async def _settled(
        self, call: ModelCall, admitted: Admitted, outcome: Ended[Generation], pulse: Pulse
    ) -> ModelReply:
        generation = outcome.result
        cost = self._cost(call, generation.usage, generation.model_version)
        booked = booking(admitted, Verdict.SUCCESS, charged(call, cost, generation.model_version), outcome.took)
        said = transcribing.addition(call, generation.message)
        receipt = await self._end(admitted, booked, said=said)
        news = _news(pulse, receipt)
        return ModelReply(
            message=generation.message,
            usage=generation.usage,
            model=call.prompt.model,
            model_version=generation.model_version,
            finish=generation.finish,
            cost=cost,
            earlier_cost=_spent(pulse),
            transitions=_changes(admitted, receipt),
            crossings=news.crossings,
            drifts=news.drifts,
            unsettled=() if receipt else (booked,),
            store=news.store if news.store != call.hold.epoch else "",
            transcript=transcribing.told(receipt),
        )

    def _cost(self, call: ModelCall, usage: Usage, version: str | None) -> int:
        return self._pricing.cost(
            call.prompt.model,
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
            served_as=version,
        )

    def _charge(self, call: ModelCall, failure: ProviderFailure) -> Charge:
        """What a failed call cost: what the provider says, the bound if it may charge and says nothing, or nothing."""
        if failure.usage is None:
            return charged(call, call.hold.bound, unknown=True) if failure.maybe_billed else charged(call, 0)
        return charged(call, self._cost(call, failure.usage, failure.model_version), failure.model_version)

    async def _failed(
        self, call: ModelCall, admitted: Admitted, failure: ProviderFailure, took: timedelta, pulse: Pulse
    ) -> ApplicationError:
        """Settle and report a failed attempt; return the error that says whether Temporal tries again."""
        charge = self._charge(call, failure)
        booked = booking(admitted, failure.verdict, charge, took)
        receipt = await self._end(admitted, booked, failure.retry_after)
        changes, news = _changes(admitted, receipt), _news(pulse, receipt)
        spent = _spent(pulse) + (0 if charge.unknown else charge.cost)
        pulse.carry({**news.model_dump(mode="json"), **Spent(cost=spent).model_dump()})
        opened = circuit_opened(changes, news, spent)
        if opened:
            return opened
        details = ModelFailed(
            model=call.prompt.model,
            message=str(failure),
            status=failure.status,
            transitions=changes,
            crossings=news.crossings,
            drifts=news.drifts,
            unsettled=() if receipt else (booked,),
            store=news.store,
            cost=spent,
            context_tokens=failure.context_tokens,
        )
        if failure.fault is Fault.RETRYABLE and receipt is None:
            return final(ErrorType.STORE_UNAVAILABLE, str(failure), details)
        if failure.fault is Fault.RETRYABLE:
            return retryable(ErrorType.MODEL_UNAVAILABLE, str(failure), details, retry_after=failure.retry_after)
        return final(ErrorType.MODEL_REFUSED, str(failure), details)

    async def _end(
        self,
        admitted: Admitted,
        booked: ModelBooking,
        retry_after: timedelta | None = None,
        said: Addition | None = None,
    ) -> Receipt | None:
        return await persisted(
            lambda: self._guards.end_model_call(
                admitted.permit, booked.verdict, retry_after, booked.charge, booked.took, said
            )
        )


def _to_be_booked(call: ModelCall, why: str, booking: ModelBooking, spent: int) -> ApplicationError:
    """Final here: the run waits for Redis on a durable timer, not in this worker."""
    details = ModelFailed(model=call.prompt.model, message=why, unsettled=(booking,), cost=spent)
    return final(ErrorType.STORE_UNAVAILABLE, why, details)


def _news(pulse: Pulse, receipt: Receipt | None) -> BooksClosed:
    """What this attempt's cost has brought about, and those of earlier ones, which told Temporal alone."""
    earlier = BooksClosed.model_validate(pulse.carried or {})
    now = brought_about([receipt] if receipt else [])
    return BooksClosed(
        crossings=(*earlier.crossings, *now.crossings),
        drifts=(*earlier.drifts, *now.drifts),
        store=now.store or earlier.store,
    )


def _spent(pulse: Pulse) -> int:
    """What earlier attempts have cost, as far as it is known."""
    return Spent.model_validate(pulse.carried or {}).cost


def _changes(admitted: Admitted, receipt: Receipt | None) -> tuple[Transition, ...]:
    """What this call did to the breaker, from admitting it to its report."""
    before = (admitted.transition,) if admitted.transition else ()
    return (*before, *(receipt.transitions if receipt else ()))
