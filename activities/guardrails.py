"""The guardrail check before each model call, and the closing of a run's books."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.verdicts import brought_about
from activities.ways import of_run, passed_over, ways
from surefoot.contracts.breakers import BreakerPolicy, BreakerState, BreakerStatus
from surefoot.contracts.budgets import Crossing, dollars
from surefoot.contracts.guardrails import (
    Answer,
    Books,
    BooksClosed,
    GuardrailDecision,
    GuardrailRequest,
    OpenCircuit,
)
from surefoot.contracts.models import ModelBooking, provider_of
from surefoot.contracts.tools import ToolBooking
from surefoot.errors import ErrorType, StoreUnavailable, UnknownModel, final, store_unavailable
from surefoot.ports import Guards, Pricing, Reservation, Reserved, Rung

REFUSING = {BreakerState.OPEN, BreakerState.FORCED_OPEN}


class GuardrailActivities:
    """Asks the store for money and health. No model is called unless this has cleared it."""

    def __init__(self, guards: Guards, pricing: Pricing) -> None:
        self._guards = guards
        self._pricing = pricing
        self._routed: frozenset[str] = frozenset()

    @activity.defn(name="guardrails.check")
    async def check(self, request: GuardrailRequest) -> GuardrailDecision:
        """Choose a model and hold the most that calling it can cost. Local: it must answer within a second."""
        try:
            booked = await self._booked(request.unsettled)
            decision = await self._heeding_context(request, await self._decided(request))
        except StoreUnavailable as error:
            raise store_unavailable(str(error)) from error
        except UnknownModel as error:
            raise final(ErrorType.MODEL_REFUSED, str(error)) from error
        crossings = (*booked.crossings, *decision.crossings)
        news = {"crossings": crossings, "transitions": booked.transitions, "drifts": booked.drifts}
        return decision.model_copy(update=news).recorded(request)

    @activity.defn(name="guardrails.close_books")
    async def close_books(self, books: Books) -> BooksClosed:
        """Book what is unsettled, and end every hold that is left, before a run ends.

        What was sent and never settled is charged its bound: nobody will tell what it cost, unless a worker comes
        back to life.
        """
        try:
            booked = await self._booked(books.unsettled)
            closed = brought_about([await self._guards.close_hold(hold) for hold in books.holds])
        except StoreUnavailable as error:
            raise store_unavailable(str(error)) from error
        crossings = (*booked.crossings, *closed.crossings)
        return booked.model_copy(update={"crossings": crossings, "store": closed.store or booked.store})

    async def _booked(self, unsettled: tuple[ModelBooking | ToolBooking, ...]) -> BooksClosed:
        return brought_about([await self._guards.book(booking) for booking in unsettled])

    async def _decided(self, request: GuardrailRequest) -> GuardrailDecision:
        """The first way whose choice works. Where the store tells of other routes than were known, it begins anew."""
        routed = self._routed
        left = ways(request, routed)
        looked_at: dict[str, BreakerStatus] = {}
        crossings: tuple[Crossing, ...] = ()
        too_dear: GuardrailDecision | None = None
        while left:
            way, *left = left
            if len(way.models) == 1 and refuses(looked_at, way.models[0]):
                continue
            rungs = tuple(self._rung(request, model) for model in way.models)
            reserved = await self._guards.reserve(_reservation(request, way.hold_id, rungs))
            looked_at = _by_subject(request, reserved.breakers)
            crossings = (*crossings, *reserved.crossings)
            answer = _answer(request, rungs, replace(reserved, breakers=looked_at, crossings=crossings))
            before, routed = routed, frozenset(reserved.routes)
            if of_run(request, before) != of_run(request, routed):
                self._routed, left = routed, ways(request, routed)
            elif answer.answer is Answer.IN_FLIGHT or (answer.model and not refuses(looked_at, answer.model)):
                return answer
            elif reserved.hold is None:
                too_dear = too_dear or answer
                if not any(other.last_resort for other in left):
                    break
            if reserved.hold:
                await self._guards.release(reserved.hold)
        decision = too_dear or _no_model(request, looked_at)
        return decision.model_copy(update={"crossings": crossings})

    async def _heeding_context(self, request: GuardrailRequest, decision: GuardrailDecision) -> GuardrailDecision:
        """The decision, unless the prompt nears the context of the model that it chose."""
        if not request.heeds_context or decision.model is None or decision.hold is None:
            return decision
        context = self._context(request, decision.model)
        provider = provider_of(decision.model)
        if context is None or not request.size.nears(context, provider, request.output_tokens):
            return decision
        await self._guards.release(decision.hold)
        return decision.model_copy(update={"answer": Answer.TOO_LONG, "hold": None, "context_tokens": context})

    def _context(self, request: GuardrailRequest, model: str) -> int | None:
        """The smallest that anybody knows of."""
        known = (self._pricing.context(model), request.context_tokens, request.contexts.get(model))
        return min(filter(None, known), default=None)

    def _rung(self, request: GuardrailRequest, model: str) -> Rung:
        tokens = request.size.token_bound(provider_of(model))
        return Rung(model, self._pricing.bound(model, input_tokens=tokens, output_tokens=request.output_tokens))


def _reservation(request: GuardrailRequest, hold_id: str, rungs: tuple[Rung, ...]) -> Reservation:
    return Reservation(
        hold_id=hold_id,
        tenant=request.tenant,
        scopes=request.scopes,
        rungs=rungs,
        output_tokens=request.output_tokens,
        breakers=_subjects(request),
        own_breakers=request.own_breakers,
    )


def _subjects(request: GuardrailRequest) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*request.tools, *request.ladder, *request.fallback)))


def _by_subject(request: GuardrailRequest, breakers: dict[str, BreakerStatus]) -> dict[str, BreakerStatus]:
    """The breakers by tool and model, whether they are everybody's or the tenant's own."""
    own = BreakerPolicy(by_tenant=True)
    names = {
        subject: own.name_for(subject, request.tenant) if subject in request.own_breakers else subject
        for subject in _subjects(request)
    }
    return {subject: breakers[name] for subject, name in names.items() if name in breakers}


def _answer(request: GuardrailRequest, rungs: tuple[Rung, ...], reserved: Reserved) -> GuardrailDecision:
    chosen = reserved.hold.model if reserved.hold else None
    return GuardrailDecision(
        answer=reserved.answer,
        model=chosen,
        hold=reserved.hold,
        downgraded=chosen in request.ladder and reserved.rung > 0,
        fell_back=chosen in request.fallback or bool(passed_over(request, chosen, reserved.routes)),
        reason=_reason(request, rungs, reserved),
        retry_after=reserved.retry_after,
        open_tools=open_circuits(reserved.breakers, request.tools),
        open_models=open_circuits(reserved.breakers, (*request.ladder, *request.fallback)),
        tight_scope=reserved.tight_scope,
        crossings=reserved.crossings,
        store=reserved.epoch,
    )


def _reason(request: GuardrailRequest, rungs: tuple[Rung, ...], reserved: Reserved) -> str:
    scope = reserved.tight_scope
    books = (
        f"{scope.kind} {scope.subject!r} has ${dollars(scope.settled)} spent and ${dollars(scope.held)} held"
        f" of its ${dollars(scope.limit)}"
        if scope
        else "the budget is tight"
    )
    if reserved.hold is None:
        return f"the next call may cost ${dollars(rungs[-1].bound)}, but {books}"
    if led_around := passed_over(request, reserved.hold.model, reserved.routes):
        incidents = ", ".join(dict.fromkeys(reserved.routes[model].incident for model in led_around))
        return f"led around {', '.join(led_around)}, by {incidents}"
    if reserved.hold.model in request.fallback:
        return f"a fallback, since no model of the ladder can be called: {', '.join(request.ladder)}"
    return f"downgraded from {rungs[0].model}: {books}" if reserved.rung > 0 else ""


def _no_model(request: GuardrailRequest, looked_at: dict[str, BreakerStatus]) -> GuardrailDecision:
    models = (*request.ladder, *request.fallback)
    refused = open_circuits(looked_at, models)
    waits = [circuit.until - datetime.now(UTC) for circuit in refused if circuit.until]
    return GuardrailDecision(
        answer=Answer.NO_MODEL,
        reason=f"every model is out: {', '.join(models)}",
        retry_after=max(min(waits), timedelta(0)) if waits else None,
        open_tools=open_circuits(looked_at, request.tools),
        open_models=refused,
    )


def refuses(looked_at: dict[str, BreakerStatus], name: str) -> bool:
    return name in looked_at and looked_at[name].state in REFUSING


def open_circuits(looked_at: dict[str, BreakerStatus], names: tuple[str, ...]) -> tuple[OpenCircuit, ...]:
    return tuple(
        OpenCircuit(name=name, until=looked_at[name].open_until, episode=looked_at[name].episode)
        for name in dict.fromkeys(names)
        if refuses(looked_at, name)
    )
