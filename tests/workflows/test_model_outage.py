"""A model's outage: its runs are led to another one that answers, and back once it answers again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle

from surefoot.client import SurefootClient
from surefoot.contracts.incidents import Incident, IncidentKind, IncidentReport, IncidentState, Resolution
from surefoot.contracts.runs import RunResult
from surefoot.idempotency import incident_id
from surefoot.incidents.page import page
from surefoot.reliability.routes import RedisRoutes
from surefoot.reliability.store import Store
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until
from tests.workflows.conftest import AGENTS, Ask
from tests.workflows.test_agent import History
from worker import composed
from workflows.failure_handler import FailureHandlerWorkflow

SMALL, FLASH = "mistral:mistral-small-2506", "gemini:gemini-2.5-flash"
BY_HAND = Resolution(by="ann", reason="the provider says that it is over")


@pytest.fixture
async def routes(settings: Settings) -> AsyncIterator[RedisRoutes]:
    store = Store.connect(settings.redis_url.get_secret_value(), timeout=timedelta(seconds=2))
    yield RedisRoutes(store, settings.key_prefix)
    await store.close()


class Office:
    """A worker whose incidents look as often as a test wants, and what a test asks of them."""

    def __init__(self, settings: Settings, client: Client, folder: Path) -> None:
        self._settings = settings
        self._client = client
        self._policy = folder / "oncall.toml"
        self.surefoot = SurefootClient(client, task_queue=settings.task_queue)

    @asynccontextmanager
    async def open(self, *, watch_every: str, model: str | None = None) -> AsyncIterator[None]:
        nobody = "".join(f"[escalation.SEV{number}]\n" for number in range(1, 6))
        self._policy.write_text(f'[incidents]\nwatch_every = "{watch_every}"\n{nobody}')
        given = {"agents_dir": AGENTS, "oncall": self._policy, "incident_model": model}
        async with composed(self._settings.model_copy(update=given), self._client) as worker, worker:
            yield

    async def start(self, *fallbacks: str, unique: str) -> str:
        """An incident of a model's outage that no run has to meet."""
        report = IncidentReport(
            kind=IncidentKind.MODEL_OUTAGE,
            tenant="fleet",
            subject=SMALL,
            episode=unique,
            run_id="run:default:none",
            summary="All attempts failed.",
            facts={"fallbacks": [*fallbacks]},
            at=datetime.now(UTC),
        )
        queue, id = self._settings.task_queue, incident_id(report)
        await self._client.start_workflow(FailureHandlerWorkflow.run, report, id=id, task_queue=queue)
        return id

    async def resolve(self, id: str) -> Incident:
        """By hand; returns the closed incident."""
        incident = self._handle(id)
        await incident.execute_update(FailureHandlerWorkflow.resolve, BY_HAND)
        return await incident.result()

    async def closed(self, id: str) -> Incident:
        """Once it has resolved itself."""
        return await self._handle(id).result()

    def _handle(self, id: str) -> WorkflowHandle[FailureHandlerWorkflow, Incident]:
        return self._client.get_workflow_handle_for(FailureHandlerWorkflow.run, id)

    async def deed(self, id: str, beginning: str) -> str:
        """Why it has done something, once it has."""

        async def done() -> list[str]:
            return [f"{one.what} {one.why}" for one in (await self.surefoot.incident(id)).deeds]

        async def found() -> str | None:
            return next((words for words in await done() if words.startswith(beginning)), None)

        return await until(found) or ""


@pytest.fixture
def office(settings: Settings, temporal_client: Client, tmp_path: Path) -> Office:
    return Office(settings, temporal_client, tmp_path)


def outage_of(result: RunResult) -> str:
    (id,) = [one for one in result.incidents if "model_outage" in one]
    return id


async def calls_of_the_model(simulator: SimulatorClient) -> int:
    return len([call for call in await simulator.calls("mistral") if call.operation == "mistral-small-2506"])


async def test_the_next_run_does_not_even_try_a_model_that_is_out(
    office: Office, simulator: SimulatorClient, ask: Ask, routes: RedisRoutes, history: History
) -> None:
    async with office.open(watch_every="1h"):
        await simulator.fault("mistral", "status", status=500)
        first = await office.surefoot.run(ask("Hello there"))
        assert (first.fell_back, first.models) == (True, ("gemini-2.5-flash",))
        (route,) = await until(routes.routes)
        incident = outage_of(first)
        assert (route.model, route.to, route.incident) == (SMALL, FLASH, incident)

        before = await calls_of_the_model(simulator)
        second = await office.surefoot.run(ask("Hello again"))
        assert (second.fell_back, second.models, second.incidents) == (True, ("gemini-2.5-flash",), ())
        assert await calls_of_the_model(simulator) == before

        await office.deed(incident, f"leads runs from {SMALL} to {FLASH}")
        await simulator.clear_faults()
        closed = await office.resolve(incident)
        assert await routes.routes() == ()
        assert await calls_of_the_model(simulator) == before + 1, "one probe leads back"
        assert [deed.what for deed in closed.deeds][-1] == f"leads runs back to {SMALL}"
        after = await office.surefoot.run(ask("Hello once more"))
        assert (after.fell_back, after.models) == (False, ("mistral-small-2506",))
        await history(incident)


async def test_the_incident_sees_for_itself_that_the_model_answers_and_leads_back(
    office: Office, simulator: SimulatorClient, routes: RedisRoutes, unique: str, history: History
) -> None:
    async with office.open(watch_every="200ms"):
        await simulator.fault("mistral", "status", status=500, count=2)
        incident = await office.start(FLASH, unique=unique)
        closed = await office.closed(incident)
        assert (closed.state, closed.resolved_why) == (IncidentState.RESOLVED, f"{SMALL} answers again.")
        assert await calls_of_the_model(simulator) == 3
        assert closed.route is None
        assert await routes.routes() == ()
        await history(incident)


async def test_a_model_that_is_still_out_when_a_person_resolves_is_led_around_until_the_lease_ends(
    office: Office, simulator: SimulatorClient, routes: RedisRoutes, unique: str
) -> None:
    async with office.open(watch_every="1h"):
        await simulator.fault("mistral", "status", status=500)
        incident = await office.start(FLASH, unique=unique)
        await office.deed(incident, "leads runs from")
        last = (await office.resolve(incident)).deeds[-1]
        assert last.what == f"leads runs around {SMALL} for 30 min more at most"
        assert "does not answer yet" in last.why
        (route,) = await routes.routes()
        assert route.until - datetime.now(UTC) <= timedelta(minutes=30)


async def test_where_no_model_can_take_over_the_incident_says_why_and_still_sees_the_end(
    office: Office, simulator: SimulatorClient, routes: RedisRoutes, unique: str
) -> None:
    async with office.open(watch_every="300ms"):
        await simulator.fault("mistral", "status", status=500, count=1)
        await simulator.fault("gemini", "status", status=503)
        failing = await office.start(FLASH, unique=unique)
        alone = await office.start(unique=f"{unique}-2")
        assert "503" in await office.deed(failing, f"cannot lead runs around {SMALL} {FLASH}: ")
        await office.deed(alone, f"cannot lead runs around {SMALL} their profile names no other model")
        assert [(await office.closed(id)).resolved_why for id in (failing, alone)] == [f"{SMALL} answers again."] * 2
        assert await routes.routes() == ()


async def test_a_model_s_hint_is_shown_as_one_and_none_is_asked_for_without_a_model(
    office: Office, simulator: SimulatorClient, unique: str, history: History
) -> None:
    async with office.open(watch_every="1h", model=FLASH):
        incident = await office.start(unique=unique)

        async def hinted() -> Incident | None:
            known = await office.surefoot.incident(incident)
            return known if known.enrichment else None

        known = await until(hinted)
        assert known
        assert "**A hint of the model `gemini-2.5-flash`, which may be wrong:** `model_outage of" in page(known)
        await office.resolve(incident)
        await history(incident)
    asked = len(await simulator.calls("gemini"))
    async with office.open(watch_every="1h"):
        plain = await office.start(unique=f"{unique}-2")
        await office.deed(plain, "cannot lead runs around")
        closed = await office.resolve(plain)
        assert closed.enrichment is None
        assert "A hint" not in page(closed)
    assert len(await simulator.calls("gemini")) == asked


async def test_a_model_that_answers_nonsense_leaves_the_incident_without_a_hint(
    office: Office, simulator: SimulatorClient, unique: str
) -> None:
    async with office.open(watch_every="1h", model=FLASH):
        await simulator.fault("gemini", "malformed")
        incident = await office.start(unique=unique)
        await until(lambda: simulator.calls("gemini"))
        closed = await office.resolve(incident)
        assert (closed.state, closed.enrichment) == (IncidentState.RESOLVED, None)
        assert closed.runbook
        assert len(await simulator.calls("gemini")) == 1


async def test_the_next_outage_of_the_same_hour_is_an_incident_of_its_own_and_led_around_too(
    office: Office, simulator: SimulatorClient, ask: Ask, routes: RedisRoutes, history: History
) -> None:
    async with office.open(watch_every="200ms"):
        seen: list[str] = []
        for _ in range(2):
            await simulator.fault("mistral", "status", status=500)
            started = await office.surefoot.start(ask("Hello there"))
            result = await office.surefoot.result(started.run)
            assert result.fell_back
            seen.append([one for one in result.incidents if "model_outage" in one][-1])
            assert [route.incident for route in await until(routes.routes)] == [seen[-1]]
            await simulator.clear_faults()
            await office.closed(seen[-1])
            await history(started.run)
        assert len(set(seen)) == 2
