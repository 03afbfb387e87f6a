"""Leads runs around a model that is out, and back once it answers."""

from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.small_calls import NoAnswer, SmallCalls
from surefoot.contracts.conversation import UserMessage
from surefoot.contracts.models import Prompt
from surefoot.contracts.routing import Rerouted, RerouteRequest, RouteBackRequest, RoutedBack, Unfit
from surefoot.desk import RouteDesk
from surefoot.errors import ErrorType, StoreUnavailable, store_unavailable

WITHIN = timedelta(seconds=10)
"""For one smoke test."""
SMOKE_TEST = "Answer with the one word: ready"
OUTPUT_TOKENS = 64
"""A model that thinks them all away has answered too."""


class RoutingActivities:
    """Writes no route to a model that has not just answered a real call."""

    def __init__(self, calls: SmallCalls, routes: RouteDesk, within: timedelta = WITHIN) -> None:
        self._calls = calls
        self._routes = routes
        self._within = within

    @activity.defn(name="incidents.reroute")
    async def reroute(self, request: RerouteRequest) -> Rerouted:
        """Smoke-test the candidates in order, and lead runs to the first that answers.

        Raises ``StoreUnavailable``, retryable: without the store nothing can be held, sent or written. Repeated, it
        tests again and renews the same route.
        """
        unfit: list[Unfit] = []
        try:
            for candidate in dict.fromkeys(request.candidates):
                if why := await self._unfit(request, candidate):
                    unfit.append(Unfit(model=candidate, why=why))
                    continue
                route = await self._routes.put(request.model, candidate, request.incident_id, request.lease)
                return Rerouted(route=route, unfit=tuple(unfit))
        except StoreUnavailable as error:
            raise store_unavailable(str(error)) from error
        return Rerouted(unfit=tuple(unfit))

    @activity.defn(name="incidents.route_back")
    async def route_back(self, request: RouteBackRequest) -> RoutedBack:
        """Smoke-test the model that was out; if it answers, end the route of this incident.

        Raises ``NotYet``, to be tried again, if it does not: then the route, if it still holds, holds for another
        lease. Raises ``StoreUnavailable``, retryable.
        """
        try:
            try:
                await self._tested(request.model)
            except NoAnswer as error:
                await self._routes.renew(request.model, request.incident_id, request.lease)
                raise _not_yet(f"{request.model} does not answer yet: {error}") from error
            await self._routes.drop(request.model, request.incident_id)
        except StoreUnavailable as error:
            raise store_unavailable(str(error)) from error
        return RoutedBack(model=request.model, at=datetime.now(UTC))

    async def _unfit(self, request: RerouteRequest, candidate: str) -> str | None:
        if candidate == request.model:
            return "it is the model that is out"
        if candidate in {route.model for route in await self._routes.routes()}:
            return "runs are led around it"
        try:
            await self._tested(candidate)
        except NoAnswer as error:
            return str(error)
        return None

    async def _tested(self, model: str) -> None:
        prompt = Prompt(
            model=model,
            system="",
            messages=(UserMessage(text=SMOKE_TEST),),
            temperature=0,
            max_output_tokens=OUTPUT_TOKENS,
        )
        await self._calls.ask(prompt, self._within)


def _not_yet(why: str) -> ApplicationError:
    return ApplicationError(why, type=ErrorType.NOT_YET, category=ApplicationErrorCategory.BENIGN)
