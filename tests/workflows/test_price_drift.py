"""A model that a dearer one stands in for: booked as it is billed, told once, and no reason to stop."""

from surefoot.client import SurefootClient
from surefoot.contracts.budgets import BudgetLimit, ScopeKind
from surefoot.contracts.incidents import IncidentKind, Severity
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.workflows.conftest import Ask
from tests.workflows.test_agent import History
from tests.workflows.test_guards import REPORT


async def test_a_call_dearer_than_its_bound_is_booked_told_once_and_stops_nothing(
    surefoot: SurefootClient, simulator: SimulatorClient, ask: Ask, history: History, agent_settings: Settings
) -> None:
    await simulator.fault("gemini", "served_as", model="gemini-2.5-pro")
    request = ask(REPORT, "mispriced")
    started = await surefoot.start(request)
    first = await surefoot.result(started.run)
    second = await surefoot.run(ask(REPORT, "mispriced"))

    (incident,) = {*first.incidents, *second.incidents}
    told = await surefoot.incident(incident)
    assert told.report.kind is IncidentKind.PRICE_DRIFT
    assert (told.report.subject, told.severity) == ("gemini:gemini-2.5-flash", Severity.SEV4)
    facts = told.report.facts
    assert facts["model_version"] == "gemini-2.5-pro"
    assert isinstance(facts["bound"], int)
    assert facts["bound"] < first.usage.cost_nanos == facts["cost"]

    store = Store.connect(agent_settings.redis_url.get_secret_value(), timeout=agent_settings.store_timeout)
    office = RedisOffice(store, agent_settings.key_prefix)
    books = await office.budget("default", ScopeKind.SESSION, request.session, BudgetLimit(limit=0))
    await store.close()
    assert books.settled == first.usage.cost_nanos + second.usage.cost_nanos
    assert books.held == 0
    await history(started.run)
