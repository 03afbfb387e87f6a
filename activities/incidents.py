"""What an incident asks of the world: the evidence, and the runbook that rests on it."""

from pydantic import JsonValue
from temporalio import activity

from activities.shelving import kept
from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerState
from surefoot.contracts.budgets import BudgetLimit, BudgetWindow, ScopeKind, crossed_windows
from surefoot.contracts.incidents import ComposeRequest, Evidence, IncidentKind, IncidentReport, Runbook
from surefoot.crash_points import UNARMED, CrashPoint, CrashPoints
from surefoot.errors import NotFound, StoreUnavailable, Unreachable
from surefoot.incidents.markdown import clean
from surefoot.incidents.redaction import redacted
from surefoot.incidents.runbook import RunbookWriter
from surefoot.incidents.shelf import Shelf
from surefoot.ports import EvidencePort, GuardOffice

BUDGETS = (IncidentKind.BUDGET_SOFT, IncidentKind.BUDGET_HARD)


class IncidentActivities:
    """Never fails for want of evidence: what cannot be learnt is named in the runbook."""

    def __init__(
        self,
        evidence: EvidencePort,
        office: GuardOffice,
        writer: RunbookWriter | None = None,
        crash: CrashPoints = UNARMED,
        shelf: Shelf | None = None,
    ) -> None:
        self._evidence = evidence
        self._office = office
        self._writer = writer or RunbookWriter()
        self._crash = crash
        self._shelf = shelf

    @activity.defn(name="incidents.compose")
    async def compose(self, request: ComposeRequest) -> Runbook:
        """Gather what is known of the failing run and its guards, set the severity and write the runbook."""
        evidence = await self._of_guards(request.report, await self._of_run(request.report))
        self._crash.reach(CrashPoint.IN_FAILURE_HANDLER)
        runbook = self._writer.write(request, evidence)
        problems = await kept(self._shelf, request.incident_id, {"runbook": runbook.markdown})
        return runbook.model_copy(update={"problems": problems})

    async def _of_run(self, report: IncidentReport) -> Evidence:
        try:
            return await self._evidence.of_run(report.run_id)
        except (NotFound, Unreachable) as error:
            return Evidence(gaps=(clean(str(error)),))

    async def _of_guards(self, report: IncidentReport, evidence: Evidence) -> Evidence:
        try:
            guards = await self._guards(report)
        except StoreUnavailable as error:
            gap = f"The state of breakers, budgets and ledger: {clean(str(error))}"
            return evidence.model_copy(update={"gaps": (*evidence.gaps, gap)})
        return evidence.model_copy(update={"guards": {name: redacted(state) for name, state in guards.items()}})

    async def _guards(self, report: IncidentReport) -> JsonObject:
        guards: JsonObject = {}
        for status in await self._office.breakers():
            if status.name == report.subject or status.state is not BreakerState.CLOSED:
                guards[f"breaker {status.name}"] = status.model_dump(mode="json")
        if report.kind in BUDGETS:
            for window in crossed_windows(report.episode):
                guards[f"budget {report.subject}, {window}"] = await self._budget(report, window)
        if report.kind is IncidentKind.OUTCOME_UNKNOWN:
            guards["claim"] = await self._office.claim(str(report.facts.get("effect_key", "")))
        return guards

    async def _budget(self, report: IncidentReport, window: BudgetWindow) -> JsonValue:
        kind, _, subject = report.subject.partition(":")
        limit = report.facts.get("limit")
        default = BudgetLimit(limit=limit if isinstance(limit, int) else 0, window=window)
        status = await self._office.budget(report.tenant, ScopeKind(kind), subject, default)
        return status.model_dump(mode="json")
