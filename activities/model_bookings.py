"""What a model call is booked as: its charge, and what is told of it."""

from datetime import timedelta

from temporalio import activity

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.budgets import Charge
from surefoot.contracts.models import ModelBooking, ModelCall, name_of
from surefoot.errors import Fault, ProviderFailure
from surefoot.ports import Admitted


def charged(call: ModelCall, cost: int, version: str | None = None, *, unknown: bool = False) -> Charge:
    return Charge(
        hold=call.hold,
        attempt=activity.info().attempt,
        cost=cost,
        model_version=version or name_of(call.prompt.model),
        unknown=unknown,
    )


def booking(admitted: Admitted, verdict: Verdict, charge: Charge, took: timedelta | None = None) -> ModelBooking:
    return ModelBooking(charge=charge, permit=admitted.permit, verdict=verdict, took=took)


def unsent(call: ModelCall) -> ModelBooking:
    """Nothing was sent, whatever Redis has marked: its answer did not come."""
    return ModelBooking(charge=charged(call, 0), verdict=Verdict.NEUTRAL)


def given_up(call: ModelCall, admitted: Admitted) -> ModelBooking:
    """It may be charged, and nobody will learn how much."""
    return booking(admitted, Verdict.NEUTRAL, charged(call, call.hold.bound, unknown=True))


def classified(call: ModelCall, error: BaseException) -> ProviderFailure:
    """What a provider raises that it should not says nothing of the model's health, and may have been billed."""
    if isinstance(error, ProviderFailure):
        return error
    return ProviderFailure(
        f"calling {call.prompt.model} raised {type(error).__name__}",
        fault=Fault.PERMANENT,
        verdict=Verdict.NEUTRAL,
        maybe_billed=True,
    )
