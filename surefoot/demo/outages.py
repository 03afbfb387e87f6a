"""Scenes four and five: a back end hangs, is isolated, and comes back."""

import asyncio
from datetime import timedelta
from typing import Literal

from surefoot.contracts.breakers import BreakerState, BreakerStatus
from surefoot.contracts.incidents import Incident, IncidentKind, IncidentState
from surefoot.contracts.runs import RunResult
from surefoot.demo.stage import Stage
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.opening import opened_store
from surefoot.simulator.sinks.alerts import Alert, AlertState

CHANNELS = {"pagerduty", "opsgenie", "slack", "webhook"}
"""Where the shipped on-call policy sends an incident of this severity; here, the simulator's sinks."""
QUESTION = "Where is my order A-1003?"
TOOL = "look_up_order"
FAILURES = 5
"""The last of them opens the circuit. Each other customer may have one more call on its way by then."""
OPEN_FOR = timedelta(seconds=3)
"""As the demo's profiles have it."""


async def hang(stage: Stage) -> None:
    await stage.shop.fault("orders", "hang")
    before = len(await stage.shop.calls("orders"))
    results = await _ask(stage, FAILURES, "hung")
    tried = len(await stage.shop.calls("orders")) - before
    stage.quote(results[0].text)
    why = (await _breaker(stage)).reason
    stage.hold(
        why.startswith(f"{FAILURES} failures ") and FAILURES <= tried < 2 * FAILURES,
        f"after {tried} attempts that hung for 1 s each, the circuit of {TOOL} is open",
        (tried, why),
    )
    late = await _ask(stage, 3, "refused")
    more = len(await stage.shop.calls("orders")) - before - tried
    stage.hold(more == 0, "3 more customers are answered at once; none of their calls reaches the back end", more)
    told = [result for result in (*results, *late) if "try again at" in result.text]
    stage.hold(len(told) == 8, "all 8 were told when to try again", len(told))
    await _one_incident(stage, (*results, *late))


async def recover(stage: Stage) -> None:
    incident = await _incident(stage)
    await stage.shop.clear_faults("orders")
    await asyncio.sleep(OPEN_FOR.total_seconds() + 0.5)
    before = len(await stage.shop.calls("orders"))
    results = await _ask(stage, 1, "recovered")
    probes = len(await stage.shop.calls("orders")) - before
    stage.quote(results[0].text)
    stage.hold(probes == 1, "one probe went through, and its customer was answered", probes)
    state = (await _breaker(stage)).state
    stage.hold(state is BreakerState.CLOSED, f"the circuit is {state}", state)
    resolved = await stage.until(lambda: _resolved(stage, incident), "the incident's resolution")
    stage.hold(resolved.state is IncidentState.RESOLVED, f"the incident resolved itself: {resolved.resolved_why}")
    await _told(stage, AlertState.RESOLVED, "were told that it is over")


async def _ask(stage: Stage, customers: int, key: str) -> list[RunResult]:
    requests = [stage.request(QUESTION, "demo-support", f"{key}-{number}") for number in range(customers)]
    started = await asyncio.gather(*(stage.surefoot.start(request) for request in requests))
    stage.show(started[0].run)
    return list(await asyncio.gather(*(stage.surefoot.result(run.run) for run in started)))


async def _one_incident(stage: Stage, results: tuple[RunResult, ...]) -> None:
    met = {incident for result in results for incident in result.incidents}
    stage.hold(len(met) == 1, "one incident for all of them", met)
    incident = await stage.until(lambda: _composed(stage), "the incident's runbook")
    stage.show(incident.id)
    await _told(stage, AlertState.TRIGGERED, "were told of it once each")
    stage.hold(
        {incident.id} == met and incident.occurrences == len(results),
        f"{incident.assessment.severity.name}, met by {incident.occurrences} runs; its runbook begins:",
        incident.occurrences,
    )
    if incident.runbook:
        stage.quote(incident.runbook.markdown.partition("\n## Diagnosis")[0].strip())


async def _told(stage: Stage, state: AlertState, what: str) -> None:
    """Hold that each channel has one alert about the circuit, in this state."""

    async def alerts() -> list[Alert] | Literal[False]:
        found = [alert for alert in await stage.shop.alerts() if TOOL in alert.title]
        return found if [alert.state for alert in found] == [state] * len(CHANNELS) else False

    found = await stage.until(alerts, f"the alerts that are {state}")
    stage.hold({alert.target for alert in found} == CHANNELS, f"{', '.join(sorted(CHANNELS))} {what}", found)


async def _composed(stage: Stage) -> Incident | Literal[False]:
    incident = await _incident(stage)
    return incident if incident.runbook else False


async def _incident(stage: Stage) -> Incident:
    async def listed() -> str:
        found = await stage.surefoot.incidents(kind=IncidentKind.BREAKER_OPEN)
        return found[0].id if found else ""

    return await stage.surefoot.incident(await stage.until(listed, "the incident in Temporal's list"))


async def _resolved(stage: Stage, incident: Incident) -> Incident | Literal[False]:
    now = await stage.surefoot.incident(incident.id)
    return now if now.state is IncidentState.RESOLVED else False


async def _breaker(stage: Stage) -> BreakerStatus:
    async with opened_store(stage.settings) as store:
        office = RedisOffice(store, stage.settings.key_prefix)
        return next(status for status in await office.breakers() if status.name == TOOL)
