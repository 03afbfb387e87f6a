"""What an incident tells whom, and what it leaves behind, from its first page to its record."""

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from surefoot.contracts.breakers import BreakerState
from surefoot.contracts.incidents import (
    Acknowledgement,
    Incident,
    IncidentKind,
    IncidentReport,
    IncidentState,
    Reassignment,
    Recovery,
    Resolution,
    Severity,
    Snooze,
)
from surefoot.contracts.oncall import DeliveryState, Notice
from surefoot.errors import ErrorType
from surefoot.idempotency import incident_id
from surefoot.incidents.shelf import Shelf, file_name
from tests.incidents.conftest import Replay, serving
from tests.incidents.office import Breakers
from tests.incidents.reports import AT, report
from tests.incidents.sinks import DOWN, FIRST, REFUSES, Sink, Sinks, policy
from tests.incidents.test_failure_handler import tell
from tests.support.waiting import until
from workflows import policies
from workflows.failure_handler import FailureHandlerWorkflow as Handler

Handle = WorkflowHandle[Handler, Incident]
ANN = Acknowledgement(by="ann", reason="looking at it")
MENDED = Recovery(run_id="run:acme:probe", summary="a probe succeeded", at=AT)
T, A, R = Notice.TRIGGER, Notice.ACKNOWLEDGE, Notice.RESOLVE


@pytest.fixture
def told(unique: str) -> IncidentReport:
    return report(IncidentKind.BREAKER_OPEN, episode=unique, run_id=f"run:acme:{unique}")


@pytest.fixture
def incident(temporal_client: Client, told: IncidentReport) -> Handle:
    return temporal_client.get_workflow_handle_for(Handler.run, incident_id(told))


async def told_of(incident: Handle, messages: int, *, composed: bool = True) -> Incident:
    """The incident once so many messages have come to an end, and its runbook is there."""

    async def known() -> Incident | None:
        found = await incident.query(Handler.incident)
        return found if len(found.deliveries) >= messages and (found.runbook or not composed) else None

    found = await until(known)
    assert found is not None
    return found


async def test_a_level_is_paged_by_each_of_its_channels_and_all_of_it_ends_under_one_key(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, replay: Replay
) -> None:
    sinks = Sinks()
    async with serving(temporal_client, task_queue, sinks=sinks, policy=FIRST):
        await tell(temporal_client, task_queue, told)
        open_one = await told_of(incident, 2)
        assert (open_one.severity, open_one.told) == (Severity.SEV2, 1)
        assert {one.state for one in open_one.deliveries} == {DeliveryState.DELIVERED}
        await incident.execute_update(Handler.acknowledge, ANN)
        await told_of(incident, 4)
        await incident.signal(Handler.recovered, MENDED)
        closed = await incident.result()
    for sink in (sinks.pagerduty, sinks.slack):
        assert sink.told(incident.id) == [(T, "first"), (A, "first"), (R, "first")]
        assert [(one.by, one.reason) for one in sink.taken] == [
            (None, None),
            ("ann", "looking at it"),
            ("run:acme:probe", "a probe succeeded"),
        ]
    page = sinks.slack.taken[0]
    assert page.title == "circuit of create_order is open"
    assert page.instructions[0].command.startswith(f"./starter.py incidents ack {incident.id} --by")
    assert closed.state is IncidentState.RESOLVED
    await replay(await incident.fetch_history())


async def test_the_record_tells_how_long_everything_took_and_what_was_done(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    async with serving(temporal_client, task_queue, policy=FIRST):
        await tell(temporal_client, task_queue, told)
        await told_of(incident, 2)
        await incident.execute_update(Handler.acknowledge, ANN)
        await incident.execute_update(Handler.resolve, Resolution(by="ann", reason="restarted the shop"))
        closed = await incident.result()
    known = closed.post_incident
    assert known is not None
    assert known.paged_after is not None
    assert known.acknowledged_after is not None
    assert timedelta(0) <= known.paged_after
    assert known.acknowledged_after <= known.resolved_after < timedelta(minutes=1)
    assert (known.occurrences, known.runs, known.spent_nanos, known.problems) == (1, 1, None, ())
    assert "# After SEV2: circuit of create_order is open" in known.markdown
    assert "`ann` `acknowledged`: `looking at it`" in known.markdown
    assert "trigger by slack for `first`: delivered" in known.markdown
    assert "| Spent by the first run | not known |" in known.markdown


async def test_runbook_and_record_are_kept_as_files_too(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, tmp_path: Path
) -> None:
    folder = tmp_path / "not" / "there yet"
    async with serving(temporal_client, task_queue, shelf=Shelf(folder)):
        await tell(temporal_client, task_queue, told)
        open_one = await told_of(incident, 0)
        runbook = folder / file_name(incident.id, "runbook")
        assert open_one.runbook is not None
        assert runbook.read_text() == open_one.runbook.markdown
        await incident.execute_update(Handler.resolve, Resolution(by="ann", reason="it was a test"))
        closed = await incident.result()
    assert closed.post_incident is not None
    assert (folder / file_name(incident.id, "record")).read_text() == closed.post_incident.markdown
    assert len(list(folder.iterdir())) == 2


async def test_a_folder_that_cannot_be_written_is_told_on_the_incident_which_goes_on(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    async with serving(temporal_client, task_queue, shelf=Shelf(tmp_path / "file" / "folder")):
        await tell(temporal_client, task_queue, told)
        await told_of(incident, 0)
        await incident.execute_update(Handler.resolve, Resolution(by="ann", reason="it was a test"))
        closed = await incident.result()
    assert [deed.what for deed in closed.deeds].count("could not write a file") == 2
    assert "Not a directory" in closed.deeds[-1].why
    assert closed.post_incident is not None
    assert closed.post_incident.markdown


async def test_a_channel_that_refuses_for_good_is_told_on_the_incident_and_the_others_go_on(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    sinks = Sinks(pagerduty=Sink(failure=REFUSES))
    async with serving(temporal_client, task_queue, sinks=sinks, policy=FIRST):
        await tell(temporal_client, task_queue, told)
        open_one = await told_of(incident, 2)
        failed = {one.channel: (one.state, one.problem) for one in open_one.deliveries}
        assert failed == {
            "pagerduty": (DeliveryState.FAILED, "401: this key is not known"),
            "slack": (DeliveryState.DELIVERED, ""),
        }
        await incident.signal(Handler.recovered, MENDED)
        closed = await incident.result()
    assert (sinks.pagerduty.attempts, sinks.slack.told(incident.id)) == (1, [(T, "first"), (R, "first")])
    assert closed.post_incident is not None
    assert "mend that channel" in closed.post_incident.markdown


async def test_a_channel_that_hangs_or_is_down_holds_nobody_up_and_is_given_up_at_the_end(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have taken the page all the same, so that it is told of the end as well."""
    monkeypatch.setattr(policies, "PAGE_TIMEOUT", timedelta(milliseconds=300))
    sinks = Sinks(pagerduty=Sink(slow=timedelta(minutes=1)))
    async with serving(temporal_client, task_queue, sinks=sinks, policy=FIRST, quick=True):
        await tell(temporal_client, task_queue, told)
        await told_of(incident, 1, composed=False)
        assert sinks.slack.told(incident.id) == [(T, "first")]
        sinks.pagerduty.slow = timedelta(0)
        sinks.pagerduty.failure = DOWN
        await until(lambda: _true(sinks.pagerduty.attempts >= 2))
        sinks.pagerduty.failure = None
        await incident.signal(Handler.recovered, MENDED)
        await incident.result()
    assert sinks.pagerduty.told(incident.id)[-1] == (R, "first")
    assert sinks.pagerduty.counted(incident.id)[R] == sinks.slack.counted(incident.id)[R] == 1


async def _true(fact: bool) -> bool:
    return fact


async def test_a_channel_that_spends_its_attempts_is_a_failed_delivery(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=3)
    monkeypatch.setattr(policies, "PAGE_RETRY", few)
    sinks = Sinks(slack=Sink(failure=DOWN))
    async with serving(temporal_client, task_queue, sinks=sinks, policy=FIRST, quick=True):
        await tell(temporal_client, task_queue, told)
        open_one = await told_of(incident, 2)
        (failed,) = [one for one in open_one.deliveries if one.state is DeliveryState.FAILED]
        assert (failed.channel, failed.attempts, failed.problem) == ("slack", 3, "503 from the chat")
        page = await incident.query("__temporal_workflow_metadata")
        assert "503 from the chat" in str(page)
        await incident.terminate()


async def test_what_cannot_be_done_to_an_incident_is_refused_in_one_line(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    async def refusal(update: object, act: object) -> tuple[str | None, str]:
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await incident.execute_update(update, act)  # type: ignore[call-overload]  # one of several pairs
        assert isinstance(caught.value.cause, ApplicationError)
        return caught.value.cause.type, caught.value.cause.message

    async with serving(temporal_client, task_queue):
        await tell(temporal_client, task_queue, told)
        await incident.execute_update(Handler.acknowledge, ANN)
        for by in ("ann", "bob"):
            kind, said = await refusal(Handler.acknowledge, Acknowledgement(by=by, reason="me"))
            assert kind == ErrorType.INCIDENT_ACKNOWLEDGED
            assert "was acknowledged by 'ann' at" in said
    async with serving(temporal_client, task_queue, policy=FIRST, activities=False):
        await incident.execute_update(Handler.resolve, Resolution(by="ann", reason="done"))
        late = {
            Handler.acknowledge: ANN,
            Handler.snooze: Snooze(by="bob", reason="later", length=timedelta(hours=1)),
            Handler.reassign: Reassignment(by="bob", reason="not mine", to="ann"),
            Handler.resolve: Resolution(by="bob", reason="done too"),
        }
        for update, act in late.items():
            kind, said = await refusal(update, act)
            assert kind == ErrorType.INCIDENT_RESOLVED
            assert "was resolved by 'ann' at" in said
    await incident.terminate()


async def test_an_incident_that_is_over_before_anybody_was_told_tells_nobody(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    sinks = Sinks()
    async with serving(temporal_client, task_queue, sinks=sinks, policy=FIRST, activities=False):
        await tell(temporal_client, task_queue, told)
        await incident.signal(Handler.recovered, MENDED)
        await incident.query(Handler.incident)
    async with serving(temporal_client, task_queue, sinks=sinks, policy=FIRST):
        closed = await incident.result()
    assert (sinks.pagerduty.taken, closed.deliveries) == ([], ())
    assert closed.runbook is not None
    assert closed.post_incident is not None


async def test_an_incident_that_continues_as_new_pages_nobody_twice_and_forgets_nothing(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "SIGNALS_A_RUN", 10)
    sinks = Sinks()
    escalates = policy(("0s", "first", "pagerduty slack"), ("1s", "lead", "slack"), ("9m", "boss", "slack"))
    async with serving(temporal_client, task_queue, sinks=sinks, policy=escalates, quick=True):
        await tell(temporal_client, task_queue, told)
        first = (await incident.describe()).run_id
        for number in range(35):
            again = told.model_copy(update={"run_id": f"run-{number}"})
            await incident.signal(Handler.occurred, again)
        known = await told_of(incident, 3)
        assert (known.told, known.occurrences) == (2, 36)
        assert (await incident.describe()).run_id != first
        rest = Snooze(by="ann", reason="lunch", length=timedelta(hours=1))
        await incident.execute_update(Handler.snooze, rest)
        for number in range(12):
            await incident.signal(Handler.occurred, told.model_copy(update={"run_id": f"more-{number}"}))
        assert (await incident.query(Handler.incident)).snoozed_until is not None
        await incident.signal(Handler.recovered, MENDED)
        closed = await incident.result()
    assert sinks.pagerduty.told(incident.id) == [(T, "first"), (R, "first")]
    assert sinks.slack.told(incident.id) == [(T, "first"), (T, "lead"), (R, "lead")]
    assert closed.post_incident is not None
    assert closed.post_incident.occurrences == 48


async def test_an_incident_that_nobody_tells_of_the_recovery_sees_it_for_itself(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    office, sinks = Breakers(told.episode), Sinks()
    watches = policy(("0s", "first", "slack"), watch="100ms")
    async with serving(temporal_client, task_queue, sinks=sinks, policy=watches, office=office):
        await tell(temporal_client, task_queue, told)
        await until(lambda: _true(office.looks > 2))
        office.state = BreakerState.CLOSED
        closed = await incident.result()
    assert (closed.resolved_by, closed.resolved_why) == ("surefoot", "The circuit of create_order is closed.")
    assert sinks.slack.told(incident.id) == [(T, "first"), (R, "first")]
