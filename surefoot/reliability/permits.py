"""What every batch of the guards shares: the steps' makers, and the permits that are reported or given back."""

from dataclasses import dataclass
from datetime import timedelta

from surefoot.contracts.breakers import Permit, Transition, Verdict
from surefoot.reliability.breaker import RedisBreaker
from surefoot.reliability.budget import Budget
from surefoot.reliability.ledger import Ledger
from surefoot.reliability.local_breaker import LocalBreaker
from surefoot.reliability.prices import Prices
from surefoot.reliability.routes import Routes
from surefoot.reliability.store import Step, Store
from surefoot.reliability.transcripts import RedisTranscripts


@dataclass(frozen=True)
class Report:
    """How a call went that a breaker let through, if one did."""

    permit: Permit | None
    verdict: Verdict
    retry_after: timedelta | None = None
    took: timedelta | None = None


@dataclass(frozen=True, eq=False)
class Permits:
    """Breakers, Redis's and the process's own, beside the budget and the ledger that they are asked with."""

    store: Store
    breaker: RedisBreaker
    local_breaker: LocalBreaker
    budget: Budget
    prices: Prices
    routes: Routes
    ledger: Ledger
    transcripts: RedisTranscripts

    def _reporting(self, report: Report) -> Step[Transition | None] | None:
        permit = report.permit
        if permit is None or permit.local:
            return None
        return self.breaker.report_step(permit, report.verdict, report.retry_after, report.took)

    async def _report_locally(self, report: Report) -> None:
        """The process's own breaker opens no incident: the store's outage does."""
        permit = report.permit
        if permit and permit.local:
            await self.local_breaker.report(permit, report.verdict, report.retry_after, report.took)

    async def _give_back(self, permit: Permit) -> None:
        if permit.probe:
            await self.breaker.report(permit, Verdict.NEUTRAL, None)


def told(transition: Transition | None) -> tuple[Transition, ...]:
    return (transition,) if transition else ()
