"""How a worker and what it calls are doing, told without calling any of it."""

from enum import StrEnum
from http import HTTPStatus

from surefoot.contracts.base import Message
from surefoot.contracts.breakers import BreakerState, BreakerStatus
from surefoot.errors import StoreUnavailable
from surefoot.ports import GuardOffice

REFUSING = {BreakerState.OPEN, BreakerState.FORCED_OPEN}


class HealthState(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """Some tool or model is cut off by its breaker; everything else works."""
    UNHEALTHY = "unhealthy"
    """Every tool and model that was ever called is cut off, or Redis does not answer."""

    @property
    def status(self) -> HTTPStatus:
        return HTTPStatus.SERVICE_UNAVAILABLE if self is HealthState.UNHEALTHY else HTTPStatus.OK


class HealthReport(Message):
    """The breakers as the fleet left them. ``problem`` says why they could not be read."""

    state: HealthState
    breakers: tuple[BreakerStatus, ...] = ()
    problem: str = ""


async def examine(office: GuardOffice) -> HealthReport:
    """Two round trips to Redis, and none to a back end: so the answer comes while every one of those hangs."""
    try:
        breakers = await office.breakers()
    except StoreUnavailable as error:
        return HealthReport(state=HealthState.UNHEALTHY, problem=str(error))
    return HealthReport(state=_judged(breakers), breakers=breakers)


def _judged(breakers: tuple[BreakerStatus, ...]) -> HealthState:
    cut_off = sum(breaker.state in REFUSING for breaker in breakers)
    if not cut_off:
        return HealthState.HEALTHY
    return HealthState.UNHEALTHY if cut_off == len(breakers) else HealthState.DEGRADED
