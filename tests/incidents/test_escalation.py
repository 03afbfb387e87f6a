"""Who is called when, over hours and days that the time-skipping server lets pass in a moment."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from sys import executable

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from surefoot import attributes
from surefoot.contracts.breakers import BreakerState
from surefoot.contracts.incidents import (
    Acknowledgement,
    Incident,
    IncidentKind,
    IncidentReport,
    IncidentState,
    Reassignment,
    Resolution,
    Snooze,
)
from surefoot.contracts.oncall import Notice
from tests.incidents.conftest import serving
from tests.incidents.office import Breakers
from tests.incidents.reports import report
from tests.incidents.sinks import Sinks, policy
from workflows.failure_handler import FailureHandlerWorkflow

Handle = WorkflowHandle[FailureHandlerWorkflow, Incident]
TWO_LEVELS = policy(("0s", "first", "pagerduty"), ("15m", "lead", "pagerduty slack"), repeats=2, every="1h")
TEST_SERVER = "temporal-test-server"


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server of the test's own, whose clock waits for nobody."""
    beside = Path(executable).parent / TEST_SERVER
    found = str(beside) if beside.exists() else shutil.which(TEST_SERVER)
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter, test_server_existing_path=found
    ) as environment:
        names = {key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for key in attributes.ALL}
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(search_attributes=names, namespace=environment.client.namespace)
        )
        yield environment


class Clock:
    """Lets time pass, and tells who was called when, in minutes since the incident opened."""

    def __init__(self, environment: WorkflowEnvironment, sinks: Sinks, incident: Handle) -> None:
        self.environment, self.sinks, self.incident = environment, sinks, incident

    async def passes(self, **span: float) -> None:
        await self.environment.sleep(timedelta(**span))

    async def known(self) -> Incident:
        return await self.incident.query(FailureHandlerWorkflow.incident)

    async def calls(self) -> list[tuple[int, str]]:
        """Deeds of calling, since deliveries carry the clock of the worker, which did not skip."""
        known = await self.known()
        opened = known.opened_at or known.first_at
        return [
            (round((deed.at - opened) / timedelta(minutes=1)), deed.what.removeprefix("called "))
            for deed in known.deeds
            if deed.what.startswith("called ")
        ]


async def opened(environment: WorkflowEnvironment, sinks: Sinks, told: IncidentReport) -> Clock:
    incident = await environment.client.start_workflow(
        FailureHandlerWorkflow.run, told, id=f"incident-{told.episode}", task_queue=told.episode
    )
    return Clock(environment, sinks, incident)


@pytest.fixture
def told(unique: str) -> IncidentReport:
    return report(IncidentKind.STORE_WIPED, episode=unique)


async def test_levels_are_called_in_rounds_until_there_are_no_more(
    skipping: WorkflowEnvironment, told: IncidentReport
) -> None:
    sinks = Sinks()
    async with serving(skipping.client, told.episode, sinks=sinks, policy=TWO_LEVELS):
        clock = await opened(skipping, sinks, told)
        await clock.passes(minutes=10)
        assert await clock.calls() == [(0, "first")]
        await clock.passes(days=1)
        assert await clock.calls() == [(60 * n + m, who) for n in range(3) for m, who in ((0, "first"), (15, "lead"))]
        assert sinks.pagerduty.told(clock.incident.id) == [(Notice.TRIGGER, "first"), (Notice.TRIGGER, "lead")] * 3
        assert [(one.level, one.round) for one in sinks.slack.taken] == [(1, 0), (1, 1), (1, 2)]
        await clock.incident.execute_update(FailureHandlerWorkflow.resolve, Resolution(by="ann", reason="restored"))
        await clock.incident.result()
    assert sinks.pagerduty.counted(clock.incident.id)[Notice.RESOLVE] == 1
    assert sinks.slack.counted(clock.incident.id) == {Notice.TRIGGER: 3, Notice.RESOLVE: 1}


async def test_an_acknowledgement_stops_the_calls_and_a_reassignment_begins_them_again(
    skipping: WorkflowEnvironment, told: IncidentReport
) -> None:
    sinks = Sinks()
    async with serving(skipping.client, told.episode, sinks=sinks, policy=TWO_LEVELS):
        clock = await opened(skipping, sinks, told)
        await clock.passes(minutes=20)
        known = await clock.incident.execute_update(
            FailureHandlerWorkflow.acknowledge, Acknowledgement(by="ann", reason="looking")
        )
        assert (known.state, known.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "ann")
        await clock.passes(days=1)
        assert await clock.calls() == [(0, "first"), (15, "lead")]
        away = Reassignment(by="ann", reason="my shift is over", to="bob")
        known = await clock.incident.execute_update(FailureHandlerWorkflow.reassign, away)
        assert (known.state, known.assignee, known.acknowledged_by) == (IncidentState.OPEN, "bob", None)
        await clock.passes(minutes=50)
        later = 20 + 24 * 60
        assert await clock.calls() == [(0, "first"), (15, "lead"), (later, "bob"), (later + 45, "first")]
        await clock.incident.terminate()
    seen = [notice for notice, _ in sinks.slack.told(clock.incident.id)]
    assert seen == [Notice.TRIGGER, Notice.ACKNOWLEDGE, Notice.TRIGGER]


async def test_an_incident_that_is_reassigned_to_a_level_tells_that_level_and_goes_on_behind_it(
    skipping: WorkflowEnvironment, told: IncidentReport
) -> None:
    sinks = Sinks()
    async with serving(skipping.client, told.episode, sinks=sinks, policy=TWO_LEVELS):
        clock = await opened(skipping, sinks, told)
        await clock.passes(minutes=5)
        await clock.incident.execute_update(
            FailureHandlerWorkflow.reassign, Reassignment(by="ann", reason="too big for me", to="lead")
        )
        await clock.passes(minutes=50)
        assert await clock.calls() == [(0, "first"), (5, "lead"), (50, "first")]
        await clock.incident.terminate()
    assert [who for _, who in sinks.slack.told(clock.incident.id)] == ["lead"]


async def test_a_snooze_calls_nobody_until_it_ends_and_then_goes_on_where_it_was(
    skipping: WorkflowEnvironment, told: IncidentReport
) -> None:
    sinks = Sinks()
    async with serving(skipping.client, told.episode, sinks=sinks, policy=TWO_LEVELS):
        clock = await opened(skipping, sinks, told)
        await clock.passes(minutes=10)
        rest = Snooze(by="ann", reason="the shop is closed at night", length=timedelta(hours=8))
        await clock.incident.execute_update(FailureHandlerWorkflow.snooze, rest)
        await clock.passes(hours=7)
        assert await clock.calls() == [(0, "first")]
        assert (await clock.known()).snoozed_until is not None
        await clock.passes(hours=1, minutes=20)
        assert await clock.calls() == [(0, "first"), (490, "first"), (505, "lead")]
        assert (await clock.known()).snoozed_until is None
        await clock.incident.terminate()


async def test_an_acknowledgement_that_is_snoozed_lapses_when_the_snooze_ends(
    skipping: WorkflowEnvironment, told: IncidentReport
) -> None:
    sinks = Sinks()
    async with serving(skipping.client, told.episode, sinks=sinks, policy=TWO_LEVELS):
        clock = await opened(skipping, sinks, told)
        await clock.passes(minutes=1)
        act = Acknowledgement(by="ann", reason="waiting for the vendor")
        await clock.incident.execute_update(FailureHandlerWorkflow.acknowledge, act)
        rest = Snooze(by="ann", reason="they said tomorrow", length=timedelta(days=1))
        await clock.incident.execute_update(FailureHandlerWorkflow.snooze, rest)
        await clock.passes(hours=23)
        assert (await clock.known()).state is IncidentState.ACKNOWLEDGED
        await clock.passes(hours=1, minutes=2)
        known = await clock.known()
        assert (known.state, known.acknowledged_by) == (IncidentState.OPEN, None)
        assert await clock.calls() == [(0, "first"), (1441, "first")]
        await clock.incident.terminate()


async def test_an_incident_that_nothing_is_heard_of_closes_by_itself_and_says_so(
    skipping: WorkflowEnvironment, told: IncidentReport
) -> None:
    sinks = Sinks()
    stale = policy(("0s", "first", "slack"), stale="7d")
    async with serving(skipping.client, told.episode, sinks=sinks, policy=stale):
        clock = await opened(skipping, sinks, told)
        await clock.passes(days=6)
        await clock.incident.signal(FailureHandlerWorkflow.occurred, told.model_copy(update={"run_id": "run:a:late"}))
        await clock.passes(days=6)
        assert (await clock.known()).state is IncidentState.OPEN
        closed = await clock.incident.result()
    assert (closed.resolved_by, closed.state) == ("surefoot", IncidentState.RESOLVED)
    assert str(closed.resolved_why).startswith("nothing was heard of it for 168.0 h")
    assert closed.post_incident is not None
    assert closed.post_incident.resolved_after.days == 13
    assert sinks.slack.counted(clock.incident.id) == {Notice.TRIGGER: 1, Notice.RESOLVE: 1}


async def test_a_long_watch_leaves_five_events(skipping: WorkflowEnvironment, unique: str) -> None:
    """The breaker of the office stays open, so that each look is in vain."""
    told = report(IncidentKind.BREAKER_OPEN, episode=unique)
    office = Breakers(unique)
    async with serving(skipping.client, unique, policy=policy(), office=office):
        clock = await opened(skipping, Sinks(), told)
        await clock.passes(days=3)
        assert office.looks > 70
        events = [event async for event in clock.incident.fetch_history_events()]
        assert len(events) < 30
        office.state = BreakerState.CLOSED
        closed = await clock.incident.result()
    assert (closed.resolved_by, closed.resolved_why) == ("surefoot", "The circuit of create_order is closed.")
