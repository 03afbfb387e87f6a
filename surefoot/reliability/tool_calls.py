"""Tool calls: effects claimed, sent and recorded, in the batches that ask and tell the tool's breaker."""

from dataclasses import replace
from datetime import timedelta

import structlog
from pydantic import JsonValue

from surefoot.contracts.breakers import BreakerPolicy, Permit, Verdict
from surefoot.contracts.tools import Claim
from surefoot.errors import StoreUnavailable
from surefoot.ports import Admitted, Busy, Doubtful, Fate, Proceed, Receipt, Refused, Replay
from surefoot.reliability.permits import Permits, Report, told
from surefoot.reliability.store import Step

log = structlog.get_logger()


class ToolCalls(Permits):
    """The half of the port ``Guards`` that performs effects."""

    async def begin_tool_call(
        self,
        *,
        tool: str,
        breaker: BreakerPolicy,
        effect_key: str | None,
        owner: str,
        attempt: int,
        lease: timedelta,
        mark_sent: bool,
        lands_within: timedelta,
        tenant: str = "",
        in_doubt: bool = False,
    ) -> Proceed | Refused | Replay | Busy | Doubtful:
        token, name = f"{owner}#{attempt}", breaker.name_for(tool, tenant)
        if effect_key is None:
            return await self._begin_read(name, breaker, token)
        claiming = self.ledger.claim_step(
            effect_key,
            owner=owner,
            attempt=attempt,
            lease=lease,
            mark_sent=mark_sent,
            lands_within=lands_within,
            in_doubt=in_doubt,
        )
        admission = self.breaker.admit_step(name, breaker, token)
        claim, admitted = await self.store.two(claiming, admission, *self.breaker.listing(name))
        if not isinstance(claim, Claim):
            if isinstance(admitted, Admitted):
                await self._give_back(admitted.permit)
            return claim
        if isinstance(admitted, Refused):
            await self.store.one(self.ledger.fail_step(claim, Fate.CLEAR, reached=False))
            return replace(admitted, in_doubt=claim.in_doubt)
        return Proceed(claim, admitted.permit, admitted.transition)

    async def _begin_read(self, name: str, breaker: BreakerPolicy, token: str) -> Proceed | Refused:
        try:
            admitted = await self.breaker.admit(name, breaker, token)
        except StoreUnavailable as error:
            log.warning("the process's own breaker stands in", breaker=name, why=str(error))
            admitted = await self.local_breaker.admit(name, breaker, token)
            if isinstance(admitted, Refused):
                return replace(admitted, episode="", transition=None)  # it is no episode that an incident could tell
        if isinstance(admitted, Refused):
            return admitted
        return Proceed(None, admitted.permit, None if admitted.permit.local else admitted.transition)

    async def mark_sent(self, claim: Claim, *, lands_within: timedelta) -> Claim:
        return await self.ledger.mark_sent(claim, lands_within=lands_within)

    async def renew(self, claim: Claim, lease: timedelta) -> bool:
        return await self.ledger.renew(claim, lease)

    async def complete_tool_call(
        self, claim: Claim | None, content: JsonValue, permit: Permit | None, took: timedelta | None = None
    ) -> Receipt:
        recording = self.ledger.complete_step(claim, content) if claim else None
        return await self._end_tool_call(recording, Report(permit, Verdict.SUCCESS, None, took))

    async def fail_tool_call(
        self,
        claim: Claim | None,
        permit: Permit | None,
        verdict: Verdict,
        retry_after: timedelta | None,
        *,
        fate: Fate,
        reached: bool = True,
        took: timedelta | None = None,
    ) -> Receipt:
        recording = self.ledger.fail_step(claim, fate, reached=reached) if claim else None
        return await self._end_tool_call(recording, Report(permit, verdict, retry_after, took))

    async def _end_tool_call(self, recording: Step[bool] | None, report: Report) -> Receipt:
        recorded, transition, _ = await self.store.any_of(recording, self._reporting(report))
        await self._report_locally(report)
        return Receipt(transitions=told(transition), superseded=recorded is False)

    async def follow(self, effect_key: str, within: timedelta) -> Replay | None:
        return await self.ledger.follow(effect_key, within)
