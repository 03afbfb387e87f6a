"""In which order the models of a run are tried, and which of them routes lead around."""

from collections.abc import Collection
from dataclasses import dataclass

from surefoot.contracts.guardrails import GuardrailRequest
from surefoot.idempotency import digest


@dataclass(frozen=True)
class Way:
    """Models of which money chooses one, and the id of the hold for it. Other models have another id."""

    hold_id: str
    models: tuple[str, ...]
    last_resort: bool = False
    """Routes lead around them: they are used if nothing else is left."""


def ways(request: GuardrailRequest, routed: Collection[str]) -> list[Way]:
    """The ladder decides on money; then each fallback; then what routes lead around, in the same order."""
    return [*_ways(request, routed, led_around=False), *_ways(request, routed, led_around=True)]


def _ways(request: GuardrailRequest, routed: Collection[str], *, led_around: bool) -> list[Way]:
    usable = tuple(model for model in request.ladder if model not in request.avoid)
    ladder = tuple(model for model in usable if (model in routed) is led_around)
    hold_id = request.hold_id if ladder == usable else f"{request.hold_id}/{digest(*ladder)[:8]}"
    found = [Way(hold_id, ladder, led_around)] if ladder else []
    return found + [
        Way(f"{request.hold_id}/fallback-{position}", (model,), led_around)
        for position, model in enumerate(request.fallback)
        if model not in request.avoid and (model in routed) is led_around
    ]


def of_run(request: GuardrailRequest, routed: Collection[str]) -> frozenset[str]:
    """The models of this run that routes lead around."""
    return frozenset(routed).intersection((*request.ladder, *request.fallback))


def passed_over(request: GuardrailRequest, chosen: str | None, routed: Collection[str]) -> tuple[str, ...]:
    """The models of the ladder before the chosen one that routes lead around."""
    if chosen is None or chosen in routed:
        return ()
    before = request.ladder[: request.ladder.index(chosen)] if chosen in request.ladder else request.ladder
    return tuple(model for model in before if model in routed)
