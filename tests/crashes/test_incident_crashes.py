"""A worker dies at each step of an incident's life: nobody is called twice, and nothing is left open."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporalio.client import Client, WorkflowHandle

from surefoot.contracts.incidents import Incident, IncidentKind, IncidentReport, IncidentState, Recovery
from surefoot.contracts.oncall import Notice
from surefoot.crash_points import OF_INCIDENTS, CrashPoint
from surefoot.idempotency import incident_id
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.sinks.alerts import Alert, AlertState
from tests.crashes.scene import TASK_TIMEOUT
from tests.support.waiting import eventually, until
from tests.support.workers import worker_process
from worker import composed
from workflows.failure_handler import FailureHandlerWorkflow

POLICY = """
[incidents]
watch_every = "1s"
[[severity]]
kind = "store_outage"
severity = "SEV1"
why = "it is a test"
[escalation.SEV1]
levels = [{who = "first", channels = ["pagerduty", "opsgenie", "slack"]}]
[escalation.SEV2]
[escalation.SEV3]
[escalation.SEV4]
[escalation.SEV5]
"""
SINKS = ("pagerduty", "opsgenie")
"""Those that absorb a repetition by its key; a chat shows it twice."""
STEPS = [CrashPoint.IN_FAILURE_HANDLER, *sorted(OF_INCIDENTS), "after_page:5"]
"""The first message is a page, the fifth tells of the end."""


AFTER_THE_END = (CrashPoint.BEFORE_RECORD, "after_page:5")
Handle = WorkflowHandle[FailureHandlerWorkflow, Incident]


def report(step: str, episode: str) -> IncidentReport:
    """Redis answers, so that the one that is watched ends by itself; the others end when they are told."""
    return IncidentReport(
        kind=IncidentKind.STORE_OUTAGE if step == CrashPoint.IN_WATCH else IncidentKind.STORE_WIPED,
        tenant="fleet",
        subject="redis",
        episode=episode,
        run_id="run:fleet:nobody",
        summary="Redis did not answer.",
        at=datetime.now(UTC),
    )


async def sent(incident: Handle, notice: Notice) -> None:
    """Wait until every channel has had this message."""

    async def everywhere() -> bool:
        known = await incident.query(FailureHandlerWorkflow.incident)
        return len({one.channel for one in known.deliveries if one.notice is notice}) == 3

    await until(everywhere, within=timedelta(seconds=60))


async def ends(incident: Handle) -> None:
    """Tell the incident that it is over, once it has paged everybody."""
    await sent(incident, Notice.TRIGGER)
    over = Recovery(run_id="run:fleet:probe", summary="it works again", at=datetime.now(UTC))
    await incident.signal(FailureHandlerWorkflow.recovered, over)


async def lived(settings: Settings, client: Client, step: str) -> Handle:
    """An incident whose worker died at the step, and which a sound one has brought to the end of its messages."""
    ours = settings.model_copy(update={"task_queue": f"{settings.task_queue}-{step}"})
    told = report(step, f"{settings.key_prefix}-{step}")
    async with worker_process(ours, SUREFOOT_TEST_KILL_AT=step) as doomed:
        incident = await client.start_workflow(
            FailureHandlerWorkflow.run,
            told,
            id=incident_id(told),
            task_queue=ours.task_queue,
            task_timeout=TASK_TIMEOUT,
        )
        if step in AFTER_THE_END:
            await ends(incident)
        await eventually(lambda: not doomed.running, within=timedelta(seconds=30))
    async with composed(ours, client) as sound, sound:
        if step not in (*AFTER_THE_END, CrashPoint.IN_WATCH):
            await ends(incident)
        await sent(incident, Notice.RESOLVE)
        if (
            step == CrashPoint.BEFORE_RECORD
        ):  # elsewhere the lost attempt at the runbook is waited for, which takes longer
            closed = await incident.result()
            assert (closed.state, closed.runbook is None) == (IncidentState.RESOLVED, False)
            assert closed.post_incident is not None
    return incident


async def test_a_worker_that_dies_in_any_step_of_an_incident_calls_nobody_twice_and_leaves_no_alert_open(
    settings: Settings, temporal_client: Client, simulator: SimulatorClient, tmp_path: Path
) -> None:
    policy = tmp_path / "oncall.toml"
    policy.write_text(POLICY)
    telling = Settings.model_validate(
        settings.model_dump(by_alias=True) | simulator.channel_variables | {"SUREFOOT_ONCALL": policy}
    )
    incidents = await asyncio.gather(*(lived(telling, temporal_client, step) for step in STEPS))
    alerts: list[Alert] = await simulator.alerts()
    for step, incident in zip(STEPS, incidents, strict=True):
        found = [(one.target, one.state) for one in alerts if one.key == incident.id and one.target in SINKS]
        assert sorted(found) == sorted((sink, AlertState.RESOLVED) for sink in SINKS), (step, found)
