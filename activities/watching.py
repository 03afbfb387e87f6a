"""Looks whether what an incident is about works again."""

from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from surefoot.contracts.incidents import IncidentKind, Recovery, WatchRequest
from surefoot.crash_points import UNARMED, CrashPoint, CrashPoints
from surefoot.errors import ErrorType, NotFound, StoreUnavailable, Unreachable
from surefoot.incidents import recovery
from surefoot.ports import GuardOffice, RunsPort

NOTHING = "0" * 64
"""An effect key that nobody has: to ask for it is the cheapest question to the store."""


class WatchActivities:
    """One look for each attempt. "Not yet" is an error that Temporal retries, so that waiting leaves no history."""

    def __init__(self, office: GuardOffice, runs: RunsPort, crash: CrashPoints = UNARMED) -> None:
        self._office = office
        self._runs = runs
        self._crash = crash

    @activity.defn(name="incidents.watch")
    async def watch(self, request: WatchRequest) -> Recovery | None:
        """What works again, in a sentence; None where that cannot be seen.

        Raises ``NotYet``, to be tried again, while it does not, or while it is not known.
        """
        if not recovery.can_be_seen(request.report):
            return None
        try:
            why = await self._why_over(request)
        except (StoreUnavailable, Unreachable, NotFound) as error:
            raise _not_yet(str(error)) from error
        if why is None:
            raise _not_yet(f"{request.report.subject!r} does not work yet")
        self._crash.reach(CrashPoint.IN_WATCH)
        return Recovery(run_id=request.incident_id, summary=why, at=datetime.now(UTC))

    async def _why_over(self, request: WatchRequest) -> str | None:
        report = request.report
        match report.kind:
            case IncidentKind.STORE_OUTAGE:
                await self._office.claim(NOTHING)
                return recovery.STORE_ANSWERS
            case IncidentKind.OUTCOME_UNKNOWN:
                return recovery.of_claim(await self._office.claim(str(report.facts.get("effect_key", NOTHING))))
            case IncidentKind.BUDGET_SOFT | IncidentKind.BUDGET_HARD:
                return await self._budget(request)
            case IncidentKind.RUN_FAILED:
                return await self._run(request)
            case IncidentKind.TOOL_FAILED:
                return await self._run(request) and await self._breaker(request)
            case _:
                return await self._breaker(request)

    async def _breaker(self, request: WatchRequest) -> str | None:
        found = (one for one in await self._office.breakers() if one.name == request.report.subject)
        return recovery.of_breaker(request.report, next(found, None))

    async def _budget(self, request: WatchRequest) -> str | None:
        report = request.report
        kind, subject = recovery.scope_of(report)
        return recovery.of_budget(
            report, await self._office.budget(report.tenant, kind, subject, recovery.limit_of(report))
        )

    async def _run(self, request: WatchRequest) -> str | None:
        report = request.report
        completed = await self._runs.completed_at(report.run_id)
        return f"{report.run_id} has completed since." if completed and completed > report.at else None


def _not_yet(why: str) -> ApplicationError:
    return ApplicationError(why, type=ErrorType.NOT_YET, category=ApplicationErrorCategory.BENIGN)
