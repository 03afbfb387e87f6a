"""One episode of a failure is one incident, however many runs meet it, and it ends once."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from surefoot import attributes
from surefoot.contracts.incidents import (
    Incident,
    IncidentKind,
    IncidentReport,
    IncidentState,
    Recovery,
    Resolution,
    Severity,
)
from surefoot.errors import ErrorType
from surefoot.idempotency import incident_id
from tests.incidents.conftest import Replay, serving
from tests.incidents.parents import Mending, MendingRun, TellingRun
from tests.incidents.reports import AT, report
from workflows import policies
from workflows.failure_handler import FailureHandlerWorkflow
from workflows.reporting import Told

Handle = WorkflowHandle[FailureHandlerWorkflow, Incident]
BY_HAND = Resolution(by="ada", reason="restarted the shop")
RECOVERY = Recovery(run_id="run:acme:probe", summary="a probe succeeded", at=AT)


@pytest.fixture
def told(unique: str) -> IncidentReport:
    return report(IncidentKind.BREAKER_OPEN, episode=unique, run_id=f"run:acme:{unique}")


@pytest.fixture
def incident(temporal_client: Client, told: IncidentReport) -> Handle:
    return temporal_client.get_workflow_handle_for(FailureHandlerWorkflow.run, incident_id(told))


async def tell(client: Client, task_queue: str, told: IncidentReport, number: int = 0) -> Told:
    again = told.model_copy(update={"run_id": f"{told.run_id}-{number}", "at": AT + timedelta(seconds=number)})
    return await client.execute_workflow(TellingRun.run, again, id=again.run_id, task_queue=task_queue)


async def replay_all(client: Client, replay: Replay, *ids: str) -> None:
    for id in ids:
        await replay(await client.get_workflow_handle(id).fetch_history())


async def composed(incident: Handle) -> Incident:
    """The incident once its runbook is there."""
    while True:
        known = await incident.query(FailureHandlerWorkflow.incident)
        if known.runbook:
            return known
        await asyncio.sleep(0.05)


async def test_thirty_runs_that_meet_an_episode_at_once_make_one_incident_with_thirty_occurrences(
    worker: Worker, temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, replay: Replay
) -> None:
    answers = await asyncio.gather(*(tell(temporal_client, task_queue, told, number) for number in range(30)))
    assert sorted(answers) == [Told.SIGNALLED] * 29 + [Told.STARTED]
    known = await composed(incident)
    assert known.occurrences == 30
    assert len(set(known.runs)) == len(known.runs) == 20
    assert (known.first_at, known.last_at) == (AT, AT + timedelta(seconds=29))
    await incident.execute_update(FailureHandlerWorkflow.resolve, BY_HAND)
    assert (await incident.result()).occurrences == 30
    starter = answers.index(Told.STARTED)
    await replay_all(
        temporal_client, replay, incident.id, *(f"{told.run_id}-{n}" for n in (starter, (starter + 1) % 30))
    )


async def test_the_incident_outlives_its_run_and_holds_a_runbook_with_the_runs_own_story(
    worker: Worker, temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    await tell(temporal_client, task_queue, told)
    known = await composed(incident)
    assert known.state is IncidentState.OPEN
    assert known.runbook is not None
    assert "SEV3: circuit of `create_order` is open: `5 failures in 30 s`" in known.runbook.markdown
    assert f"told {incident.id}" in [entry.what for entry in known.runbook.evidence.timeline]
    assert "breaker create_order" in known.runbook.evidence.guards
    await incident.terminate()


async def test_a_recovery_resolves_the_incident_and_says_why(
    worker: Worker, temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, replay: Replay
) -> None:
    await tell(temporal_client, task_queue, told)
    mending = Mending(incident_id=incident.id, recovery=RECOVERY)
    mender = f"mender-{task_queue}"
    first = await temporal_client.execute_workflow(MendingRun.run, mending, id=mender, task_queue=task_queue)
    closed = await incident.result()
    assert first is Told.SIGNALLED
    assert closed.state is IncidentState.RESOLVED
    assert (closed.resolved_by, closed.resolved_why) == ("run:acme:probe", "a probe succeeded")
    assert closed.runbook is not None, "a resolved incident waits for its runbook"
    await replay_all(temporal_client, replay, incident.id, mender)


async def test_what_is_told_to_a_closed_incident_is_late_and_stops_no_run(
    worker: Worker, temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, replay: Replay
) -> None:
    await tell(temporal_client, task_queue, told)
    await incident.execute_update(FailureHandlerWorkflow.resolve, BY_HAND)
    await incident.result()
    mending, mender = Mending(incident_id=incident.id, recovery=RECOVERY), f"mender-{task_queue}"
    assert await tell(temporal_client, task_queue, told, 1) is Told.LATE
    assert (
        await temporal_client.execute_workflow(MendingRun.run, mending, id=mender, task_queue=task_queue) is Told.LATE
    )
    assert (await incident.query(FailureHandlerWorkflow.incident)).resolved_by == "ada"
    await replay_all(temporal_client, replay, incident.id, f"{told.run_id}-1", mender)


async def test_an_incident_is_resolved_by_hand_once(
    worker: Worker, temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    await tell(temporal_client, task_queue, told)
    answers = await asyncio.gather(
        *(incident.execute_update(FailureHandlerWorkflow.resolve, BY_HAND) for _ in range(2)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, WorkflowUpdateFailedError)]
    assert [answer.state for answer in answers if isinstance(answer, Incident)] == [IncidentState.RESOLVED]
    assert [cause.type for error in refused if isinstance(cause := error.cause, ApplicationError)] == [
        ErrorType.INCIDENT_RESOLVED
    ]
    assert "was resolved by 'ada' at" in str(refused[0].cause)
    closed = await incident.result()
    assert (closed.resolved_by, closed.resolved_why) == ("ada", "restarted the shop")


async def test_the_list_of_incidents_can_be_filtered_by_what_they_are_and_where_they_stand(
    worker: Worker, temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    await tell(temporal_client, task_queue, told)
    known = (await incident.describe()).typed_search_attributes
    assert {key.name: known.get(key) for key in attributes.ALL if known.get(key)} == {
        "Tenant": "acme",
        "Kind": "breaker_open",
        "Subject": "create_order",
        "Severity": "SEV3",
        "State": "open",
    }
    await incident.execute_update(FailureHandlerWorkflow.resolve, BY_HAND)
    await incident.result()
    assert (await incident.describe()).typed_search_attributes[attributes.STATE] == "resolved"


@pytest.mark.parametrize("subject", ["日" * 600, "# a\x00b\n" * 100, " ", "x" * 100_000])
async def test_whatever_its_subject_is_called_an_incident_opens(
    worker: Worker, temporal_client: Client, task_queue: str, told: IncidentReport, subject: str
) -> None:
    odd = told.model_copy(update={"subject": subject, "summary": subject})
    assert await tell(temporal_client, task_queue, odd) is Told.STARTED
    incident: Handle = temporal_client.get_workflow_handle_for(FailureHandlerWorkflow.run, incident_id(odd))
    assert (await composed(incident)).runbook is not None
    await incident.terminate()


async def test_temporals_own_page_shows_the_runbook_and_the_end(
    worker: Worker, temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    await tell(temporal_client, task_queue, told)
    await composed(incident)
    await incident.execute_update(FailureHandlerWorkflow.resolve, BY_HAND)
    await incident.result()
    page = (await incident.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)).current_details
    assert page.startswith("**resolved**, SEV3")
    assert "`ada`: `restarted the shop`" in page
    assert "## The first five minutes" in page


async def test_an_incident_answers_before_its_runbook_is_there_and_gets_it_when_a_worker_can(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle
) -> None:
    workflows = [FailureHandlerWorkflow, TellingRun]
    async with Worker(temporal_client, task_queue=task_queue, workflows=workflows):
        await tell(temporal_client, task_queue, told)
        assert (await incident.query(FailureHandlerWorkflow.incident)).runbook is None
    async with serving(temporal_client, task_queue):
        assert (await composed(incident)).runbook is not None
    await incident.terminate()


async def test_a_resolved_incident_whose_runbook_and_record_never_come_closes_without_them(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "COMPOSE_GRACE", timedelta(milliseconds=10))
    monkeypatch.setattr(policies, "RECORD_WINDOW", timedelta(milliseconds=10))
    workflows, runner = [FailureHandlerWorkflow, TellingRun], UnsandboxedWorkflowRunner()
    async with Worker(temporal_client, task_queue=task_queue, workflows=workflows, workflow_runner=runner):
        await tell(temporal_client, task_queue, told)
        await incident.execute_update(FailureHandlerWorkflow.resolve, BY_HAND)
        closed = await incident.result()
    assert (closed.state, closed.runbook, closed.post_incident) == (IncidentState.RESOLVED, None, None)
    assert "has no record" in [deed.what for deed in closed.deeds]
    assert closed.severity is Severity.SEV3


async def test_an_incident_that_hears_of_many_runs_continues_as_new_and_forgets_nothing(
    temporal_client: Client, task_queue: str, told: IncidentReport, incident: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "SIGNALS_A_RUN", 10)
    workflows, runner = [FailureHandlerWorkflow, TellingRun], UnsandboxedWorkflowRunner()
    async with Worker(temporal_client, task_queue=task_queue, workflows=workflows, workflow_runner=runner):
        await tell(temporal_client, task_queue, told)
        first = (await incident.describe()).run_id
        for number in range(25):
            again = told.model_copy(update={"run_id": f"run-{number}"})
            await incident.signal(FailureHandlerWorkflow.occurred, again)
        known = await incident.query(FailureHandlerWorkflow.incident)
        now = await incident.describe()
        assert (known.occurrences, known.report) == (26, told.model_copy(update={"run_id": f"{told.run_id}-0"}))
        assert now.run_id != first
        assert now.typed_search_attributes[attributes.SEVERITY] == "SEV3"
        history = await temporal_client.get_workflow_handle(incident.id, run_id=first).fetch_history()
        await Replayer(
            workflows=workflows, workflow_runner=runner, data_converter=temporal_client.data_converter
        ).replay_workflow(history)
    await incident.terminate()
