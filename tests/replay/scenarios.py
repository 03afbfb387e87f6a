"""What is recorded of each version: runs and incidents that take every turn that a run can take."""

import asyncio
import os
import signal
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from surefoot.client import SurefootClient
from surefoot.contracts.approvals import ApprovalDecision, ApprovalRequest, Verdict
from surefoot.contracts.incidents import Acknowledgement, IncidentState, Resolution
from surefoot.contracts.runs import Phase, RunRequest
from surefoot.embedded.redis import Redis
from surefoot.errors import SurefootError
from surefoot.simulator.client import SimulatorClient
from tests.support.redis import ask_redis
from tests.support.waiting import until

ORDER = 'create_order {"product": "mug", "quantity": 3}'
MAIL = 'send_email {"to": "ann@example.org", "subject": "Mugs", "body": "They are here."}'


@dataclass(frozen=True)
class Place:
    """A worker's client, a simulated world and a Redis that may be stopped or wiped."""

    surefoot: SurefootClient
    simulator: SimulatorClient
    redis: Redis

    async def start(self, *steps: str, profile: str = "clerk") -> str:
        """A run whose model calls these tools, one step a turn."""
        script = " ".join(f"[[{'parallel' if step.count('{') > 1 else 'call'} {step}]]" for step in steps)
        request = RunRequest(prompt=script, profile=profile, key=uuid.uuid4().hex, session="recorded")
        return (await self.surefoot.start(request)).run

    async def ended(self, run: str) -> tuple[str, ...]:
        """Wait for the run's end, whatever it is, and return its incidents."""
        with suppress(SurefootError):
            await self.surefoot.result(run)
        return (await self.surefoot.progress(run)).result.incidents

    async def asked(self, run: str, beside: str = "") -> ApprovalRequest:
        async def requests() -> list[ApprovalRequest]:
            return [one for one in (await self.surefoot.progress(run)).approvals if one.id != beside]

        return (await until(requests))[0]

    async def decide(self, run: str, request: ApprovalRequest, verdict: Verdict, feedback: str = "") -> None:
        given = ApprovalDecision(request_id=request.id, verdict=verdict, by="ann", feedback=feedback)
        await self.surefoot.decide(run, given)

    async def is_in(self, run: str, phase: Phase) -> None:
        async def there() -> bool:
            return (await self.surefoot.progress(run)).phase is phase

        await until(there)

    async def resolved(self, *incidents: str) -> tuple[str, ...]:
        """Wait until the incidents have closed."""
        for incident in incidents:

            async def closed(id: str = incident) -> bool:
                return (await self.surefoot.incident(id)).state is IncidentState.RESOLVED

            await until(closed)
            await self.surefoot.temporal.get_workflow_handle(incident).result()
        return incidents


Scenario: TypeAlias = Callable[[Place], Awaitable[tuple[str, ...]]]
"""Plays itself and returns the workflows to be recorded, all of them closed."""


def look_up(*numbers: int) -> str:
    return " ".join(f'look_up_order {{"order_id": "A-{number}"}}' for number in numbers)


async def _plain(place: Place) -> tuple[str, ...]:
    run = await place.start(look_up(1001), f"{ORDER} {look_up(1002)}")
    await place.ended(run)
    return (run,)


async def _approvals(place: Place) -> tuple[str, ...]:
    run = await place.start(f"{ORDER} {look_up(1001)}", MAIL, ORDER, profile="careful")
    first = await place.asked(run)
    await place.decide(run, first, Verdict.REJECT, "Ask for more.")
    await place.is_in(run, Phase.WAITING_FOR_APPROVAL)
    await until(lambda: _is_about(place, run, "create_order", first.id))  # the mail expires meanwhile
    await place.decide(run, await place.asked(run, first.id), Verdict.APPROVE)
    return run, *await _closed_by_hand(place, *await place.ended(run))


async def _is_about(place: Place, run: str, tool: str, beside: str) -> bool:
    return tool in {one.tool for one in (await place.surefoot.progress(run)).approvals if one.id != beside}


async def _closed_by_hand(place: Place, *incidents: str) -> tuple[str, ...]:
    """Those that have not closed by themselves, as the outage of a Redis that was slow for a moment does."""
    for incident in incidents:
        if (await place.surefoot.incident(incident)).state is IncidentState.RESOLVED:
            continue
        await place.surefoot.acknowledge(incident, Acknowledgement(by="ann", reason="I look at it."))
        await place.surefoot.resolve(incident, Resolution(by="ann", reason="It is mended."))
    return await place.resolved(*incidents)


async def _breaker(place: Place) -> tuple[str, ...]:
    await place.simulator.fault("orders", "status", status=503)
    met = await place.start(look_up(1001), look_up(1002))
    incidents = await place.ended(met)
    await place.simulator.clear_faults()
    by_itself = tuple(incident for incident in incidents if "breaker_open" in incident)
    await asyncio.sleep(3)  # past the longest opening, jitter included
    probing = await place.start(look_up(1001), look_up(1002), look_up(1003))
    await place.ended(probing)
    others = tuple(incident for incident in incidents if incident not in by_itself)
    return met, probing, *await place.resolved(*by_itself), *await _closed_by_hand(place, *others)


async def _budget(place: Place) -> tuple[str, ...]:
    run = await place.start(*(look_up(number) for number in range(1001, 1020)), profile="thrifty")
    return run, *await _closed_by_hand(place, *await place.ended(run))


async def _wiped(place: Place) -> tuple[str, ...]:
    run = await place.start(look_up(1001), ORDER, profile="careful")
    request = await place.asked(run)
    await ask_redis(place.redis.url, "FLUSHALL")
    await place.decide(run, request, Verdict.APPROVE)
    return run, *await _closed_by_hand(place, *await place.ended(run))


async def _outage(place: Place) -> tuple[str, ...]:
    os.kill(place.redis.child.pid, signal.SIGSTOP)
    run = await place.start(ORDER)
    await place.is_in(run, Phase.WAITING_FOR_STORE)
    os.kill(place.redis.child.pid, signal.SIGCONT)
    return run, *await place.resolved(*await place.ended(run))


async def _long(place: Place) -> tuple[str, ...]:
    run = await place.start(*(look_up(number) for number in range(1001, 1013)), profile="careful")
    await place.ended(run)
    return (run,)


async def _summarised(place: Place) -> tuple[str, ...]:
    run = await place.start(*(look_up(number) for number in range(1001, 1019)), profile="forgetful")
    await place.ended(run)
    return (run,)


async def _long_wait(place: Place) -> tuple[str, ...]:
    run = await place.start(f"{ORDER} {look_up(*range(1001, 1033))}", look_up(1001), profile="careful")
    first = (await place.surefoot.temporal.get_workflow_handle(run).describe()).run_id

    async def went_on() -> bool:
        return (await place.surefoot.temporal.get_workflow_handle(run).describe()).run_id != first

    await until(went_on)
    await place.decide(run, await place.asked(run), Verdict.APPROVE)
    await place.ended(run)
    return (run,)


async def _cancelled(place: Place) -> tuple[str, ...]:
    waiting = await place.start(look_up(1001), ORDER, profile="careful")
    await place.asked(waiting)
    await place.surefoot.cancel(waiting)
    await place.ended(waiting)
    await place.simulator.fault("mail", "hang")
    calling = await place.start(MAIL)
    await place.is_in(calling, Phase.ACTING)
    await until(lambda: place.simulator.calls("mail"))
    await place.surefoot.cancel(calling)
    return waiting, calling, *await _closed_by_hand(place, *await place.ended(calling))


async def _unknown(place: Place) -> tuple[str, ...]:
    await place.simulator.fault("mail", "apply_then_lose", count=1)
    run = await place.start(MAIL, MAIL)
    return run, *await _closed_by_hand(place, *await place.ended(run))


async def _model_outage(place: Place) -> tuple[str, ...]:
    await place.simulator.fault("gemini", "status", status=503)
    run = await place.start(look_up(1001))
    incidents = await place.ended(run)
    await place.simulator.clear_faults()
    return run, *await _closed_by_hand(place, *incidents)


SCENARIOS: Mapping[str, Scenario] = {
    "plain-run": _plain,
    "approvals": _approvals,
    "breaker-that-closes": _breaker,
    "budget-stop": _budget,
    "wiped-redis": _wiped,
    "store-outage": _outage,
    "continued-as-new": _long,
    "continued-waiting": _long_wait,
    "summarised": _summarised,
    "cancelled": _cancelled,
    "unknown-outcome": _unknown,
    "model-outage": _model_outage,
}
