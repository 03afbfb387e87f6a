"""One model call: admitted, streamed, settled, reported."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeat import beating
from activities.outside import Ended, ended
from activities.persistence import persisted
from activities.verdicts import circuit_opened, drifts, refused
from activities.words import Words
from surefoot.contracts.breakers import Transition, Verdict
from surefoot.contracts.budgets import Charge
from surefoot.contracts.models import Generation, ModelBooking, ModelCall, ModelReply, Usage, name_of, provider_of
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
from surefoot.ports import Admitted, Guards, ModelPort, OverBudget, Pricing, Receipt, Refused, TextStream


class LlmActivities:
    """Calls models. Every call is paid from a hold, and the hold is settled before the answer is returned."""

    def __init__(
        self,
        providers: Mapping[str, ModelPort],
        guards: Guards,
        pricing: Pricing,
        stream: TextStream,
        crash: CrashPoints = UNARMED,
    ) -> None:
        self._providers = providers
        self._guards = guards
        self._pricing = pricing
        self._stream = stream
        self._crash = crash

    @activity.defn(name="llm.generate")
    async def generate(self, call: ModelCall) -> ModelReply:
        async with beating():
            provider = self._provider(call)
            admitted = await self._admitted(call)
            try:
                outcome = await ended(self._generation(provider, call))
            except asyncio.CancelledError:
                given_up = _charged(call, call.hold.bound, unknown=True)  # it may be charged, and nobody will learn
                await self._end(admitted, _booking(admitted, Verdict.NEUTRAL, given_up))
                raise
            if outcome.error:
                failure = _classified(call, outcome.error)
                raise await self._failed(call, admitted, failure, outcome.took) from outcome.error
            self._crash.reach(CrashPoint.BETWEEN_HOLD_AND_SETTLE)
            return await self._settled(call, admitted, outcome)

    def _provider(self, call: ModelCall) -> ModelPort:
        try:
            return self._providers[provider_of(call.prompt.model)]
        except (KeyError, InvalidInput) as error:
            message = f"no provider for {call.prompt.model!r} on this worker: {error}"
            raise final(ErrorType.MODEL_REFUSED, message) from error

    async def _admitted(self, call: ModelCall) -> Admitted:
        try:
            entry = await self._guards.begin_model_call(call.hold, activity.info().attempt, call.breaker)
            if isinstance(entry, Refused):
                await self._guards.release(call.hold)
                raise refused(entry)
        except Superseded as error:
            raise retryable(ErrorType.MODEL_UNAVAILABLE, str(error)) from error
        except StoreUnavailable as error:
            raise _to_be_booked(call, str(error), _unsent(call)) from error
        except asyncio.CancelledError:
            await persisted(lambda: self._guards.book(_unsent(call)))
            raise
        if isinstance(entry, OverBudget):
            details = BudgetRefused(scope=entry.scope, bound=call.hold.bound)
            raise final(ErrorType.BUDGET_EXHAUSTED, "the budget has no room for another attempt", details)
        return entry

    async def _generation(self, provider: ModelPort, call: ModelCall) -> Generation:
        words = Words(self._stream, run_id=activity.info().workflow_id or "", turn=call.turn)

        async def say(piece: str) -> None:
            self._crash.reach(CrashPoint.MID_MODEL_CALL)
            await words.say(piece)

        try:
            async with asyncio.timeout(call.deadline.total_seconds()):
                return await provider.generate(call.prompt, on_text=say, idle_limit=call.idle_limit)
        except TimeoutError as error:
            raise ProviderFailure(
                f"{call.prompt.model} did not finish within {call.deadline}",
                fault=Fault.RETRYABLE,
                verdict=Verdict.FAILURE,
                maybe_billed=True,
            ) from error

    async def _settled(self, call: ModelCall, admitted: Admitted, outcome: Ended[Generation]) -> ModelReply:
        generation = outcome.result
        cost = self._cost(call, generation.usage, generation.model_version)
        charge = _charged(call, cost, generation.model_version)
        booking = _booking(admitted, Verdict.SUCCESS, charge, outcome.took)
        receipt = await self._end(admitted, booking)
        return ModelReply(
            message=generation.message,
            usage=generation.usage,
            model=call.prompt.model,
            model_version=generation.model_version,
            finish=generation.finish,
            cost=cost,
            transitions=_changes(admitted, receipt),
            crossings=receipt.crossings if receipt else (),
            drifts=drifts(receipt),
            unsettled=() if receipt else (booking,),
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
            return _charged(call, call.hold.bound, unknown=True) if failure.maybe_billed else _charged(call, 0)
        return _charged(call, self._cost(call, failure.usage, failure.model_version), failure.model_version)

    async def _failed(
        self, call: ModelCall, admitted: Admitted, failure: ProviderFailure, took: timedelta
    ) -> ApplicationError:
        """Settle and report a failed attempt; return the error that says whether Temporal tries again."""
        booking = _booking(admitted, failure.verdict, self._charge(call, failure), took)
        receipt = await self._end(admitted, booking, failure.retry_after)
        changes = _changes(admitted, receipt)
        opened = circuit_opened(changes, receipt)
        if opened:
            return opened
        details = ModelFailed(
            model=call.prompt.model,
            message=str(failure),
            status=failure.status,
            transitions=changes,
            crossings=receipt.crossings if receipt else (),
            drifts=drifts(receipt),
            unsettled=() if receipt else (booking,),
        )
        if failure.fault is Fault.RETRYABLE and receipt is None:
            return final(ErrorType.STORE_UNAVAILABLE, str(failure), details)
        if failure.fault is Fault.RETRYABLE:
            return retryable(ErrorType.MODEL_UNAVAILABLE, str(failure), details, retry_after=failure.retry_after)
        return final(ErrorType.MODEL_REFUSED, str(failure), details)

    async def _end(
        self, admitted: Admitted, booking: ModelBooking, retry_after: timedelta | None = None
    ) -> Receipt | None:
        return await persisted(
            lambda: self._guards.end_model_call(
                admitted.permit, booking.verdict, retry_after, booking.charge, booking.took
            )
        )


def _booking(admitted: Admitted, verdict: Verdict, charge: Charge, took: timedelta | None = None) -> ModelBooking:
    return ModelBooking(charge=charge, permit=admitted.permit, verdict=verdict, took=took)


def _classified(call: ModelCall, error: BaseException) -> ProviderFailure:
    """What a provider raises that it should not says nothing of the model's health, and may have been billed."""
    if isinstance(error, ProviderFailure):
        return error
    return ProviderFailure(
        f"calling {call.prompt.model} raised {type(error).__name__}",
        fault=Fault.PERMANENT,
        verdict=Verdict.NEUTRAL,
        maybe_billed=True,
    )


def _charged(call: ModelCall, cost: int, version: str | None = None, *, unknown: bool = False) -> Charge:
    return Charge(
        hold=call.hold,
        attempt=activity.info().attempt,
        cost=cost,
        model_version=version or name_of(call.prompt.model),
        unknown=unknown,
    )


def _unsent(call: ModelCall) -> ModelBooking:
    """Nothing was sent, whatever Redis has marked: its answer did not come."""
    return ModelBooking(charge=_charged(call, 0), verdict=Verdict.NEUTRAL)


def _to_be_booked(call: ModelCall, why: str, booking: ModelBooking) -> ApplicationError:
    """Final here: the run waits for Redis on a durable timer, not in this worker."""
    details = ModelFailed(model=call.prompt.model, message=why, unsettled=(booking,))
    return final(ErrorType.STORE_UNAVAILABLE, why, details)


def _changes(admitted: Admitted, receipt: Receipt | None) -> tuple[Transition, ...]:
    """What this call did to the breaker, from admitting it to its report."""
    before = (admitted.transition,) if admitted.transition else ()
    return (*before, *(receipt.transitions if receipt else ()))
