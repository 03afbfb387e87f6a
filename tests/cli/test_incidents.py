"""Incidents on the command line: found, acknowledged, snoozed, passed on and read."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from surefoot.contracts.incidents import IncidentKind, IncidentReport
from tests.cli.conftest import Typed
from tests.support.waiting import until

ANN = ("--by", "ann", "--reason", "looking at it")


@pytest.fixture
async def incident(served: Worker, temporal_client: Client, task_queue: str, unique: str) -> AsyncIterator[str]:
    """An open incident of SEV3 with its runbook, about a run that nobody knows."""
    told = IncidentReport(
        kind=IncidentKind.BREAKER_OPEN,
        tenant="fleet",
        subject=f"tool_{unique}",
        episode="1",
        run_id=f"run:default:{unique}",
        summary="5 of 5 calls failed",
        at=datetime.now(UTC),
    )
    id = f"incident-{unique}"
    await temporal_client.start_workflow("FailureHandlerWorkflow", told, id=id, task_queue=task_queue)
    yield id
    handle = temporal_client.get_workflow_handle(id)
    if (await handle.describe()).close_time is None:
        await handle.terminate()


async def composed(typed: Typed, incident: str) -> None:
    async def written() -> bool:
        return (await typed("incidents", "show", incident, "--json")).document["runbook"] is not None

    await until(written)


async def test_an_incident_is_found_by_what_it_is_and_where_it_stands(typed: Typed, incident: str, unique: str) -> None:
    about = ("--subject", f"tool_{unique}")

    async def listed(*filters: str) -> list[str]:
        left = await typed("incidents", "list", *about, *filters, "--json")
        return [one["id"] for one in left.document["incidents"]]

    await until(listed)
    await composed(typed, incident)
    assert await listed("--severity", "SEV3", "--kind", "breaker_open", "--state", "open") == [incident]
    for other in (("--severity", "SEV1"), ("--kind", "run_failed"), ("--state", "resolved")):
        assert await listed(*other) == []
    assert (await typed("incidents", "list", "--severity", "SEV9")).code == 2


async def test_it_is_acknowledged_once_snoozed_and_passed_on(typed: Typed, incident: str) -> None:
    taken = await typed("incidents", "ack", incident, *ANN)
    assert (taken.code, taken.out) == (0, f"acknowledged {incident}, by ann; nobody else is called\n")
    (await typed("incidents", "ack", incident, "--by", "bob", "--reason", "me too")).refuses(2, "by 'ann' at")
    shown = (await typed("incidents", "show", incident)).out
    assert "SEV3 acknowledged" in shown
    assert "Acknowledged by ann: looking at it" in shown
    snoozed = await typed("incidents", "snooze", incident, "--for", "2h", *ANN, "--json")
    assert (snoozed.code, snoozed.document["snoozedUntil"] is not None) == (0, True)
    passed = await typed("incidents", "reassign", incident, "--to", "bob", *ANN)
    assert (passed.code, passed.out) == (0, f"reassigned {incident} to bob\n")
    assert "Assigned to bob" in (await typed("incidents", "show", incident)).out


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("snooze", "--for", "soon"), "length"),
        (("snooze", "--for", "8d"), "7 days"),
        (("snooze", "--for", "0s"), "greater than 0"),
        (("reassign", "--to", ""), "to: "),
        (("ack",), "is not known"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_one_line(typed: Typed, command: tuple[str, ...], said: str) -> None:
    name, *options = command
    (await typed("incidents", name, "incident-none", *options, *ANN)).refuses(2, said)


async def test_who_and_why_must_be_said(typed: Typed) -> None:
    (await typed("incidents", "ack", "incident-none", "--by", "", "--reason", "x")).refuses(2, "by: ")
    assert (await typed("incidents", "ack", "incident-none", "--by", "ann")).code == 2


async def test_the_runbook_is_printed_as_it_is_and_as_a_page(typed: Typed, incident: str) -> None:
    await composed(typed, incident)
    markdown = (await typed("incidents", "runbook", incident)).out
    assert markdown.startswith("# SEV3: ")
    assert f"./starter.py incidents show {incident}" in markdown
    page = (await typed("incidents", "runbook", incident, "--html")).out
    assert page.lstrip().startswith("<")
    assert "<h1" in page


async def test_the_timeline_tells_what_happened_and_what_was_done_in_order(typed: Typed, incident: str) -> None:
    await composed(typed, incident)
    await typed("incidents", "ack", incident, *ANN)
    await typed("incidents", "resolve", incident, "--by", "ann", "--reason", "mended")
    left = await typed("incidents", "timeline", incident, "--json")
    told = [entry["what"] for entry in left.document["timeline"]]
    assert told[0] == "the incident opened"
    assert told.index("ann acknowledged: looking at it") < told.index("ann resolved: mended")
    assert json.dumps(sorted(entry["at"] for entry in left.document["timeline"])) in json.dumps(
        [entry["at"] for entry in left.document["timeline"]]
    )
    assert "ann resolved: mended" in (await typed("incidents", "timeline", incident)).out


async def test_an_incident_that_is_over_takes_no_acknowledgement(typed: Typed, incident: str) -> None:
    await composed(typed, incident)
    await typed("incidents", "resolve", incident, "--by", "ann", "--reason", "mended")

    async def over() -> bool:
        return (await typed("incidents", "show", incident, "--json")).document["postIncident"] is not None

    await until(over)
    left = await typed("incidents", "ack", incident, *ANN)
    left.refuses(2, incident)
