"""Approvals: what waits for a human, and deciding it."""

import asyncio

from surefoot import attributes
from surefoot.client.runs import Runs
from surefoot.client.views import OpenApprovals, PendingApproval
from surefoot.contracts.approvals import ApprovalDecision, ApprovalOutcome, ApprovalRequest
from surefoot.errors import InvalidInput, NotFound, Unreachable

AT_ONCE = 8
"""Runs that are asked at a time."""


class Approvals(Runs):
    """The part of the client that speaks of approvals."""

    async def approvals(self, *, tenant: str | None = None, limit: int = 100) -> OpenApprovals:
        """Every open approval of running runs, the oldest question first."""
        waiting = await self.runs(waiting=attributes.APPROVAL, tenant=tenant, limit=limit)
        gate = asyncio.Semaphore(AT_ONCE)

        async def questions(run: str) -> tuple[ApprovalRequest, ...] | None:
            async with gate:
                try:
                    return (await self.progress(run)).approvals
                except Unreachable:
                    return None

        running = [view.run for view in waiting if view.ended_at is None]
        asked = dict(zip(running, await asyncio.gather(*map(questions, running)), strict=True))
        found = [PendingApproval(run=run, request=one) for run, all_of_it in asked.items() for one in all_of_it or ()]
        return OpenApprovals(
            approvals=tuple(sorted(found, key=lambda one: one.request.asked_at)),
            silent=tuple(run for run, answer in asked.items() if answer is None),
        )

    async def open_request(self, run: str, request_id: str | None = None) -> ApprovalRequest:
        """The run's open question: the one with this id, or the only one.

        Raises ``NotFound`` if there is none, ``InvalidInput`` if it is not clear which.
        """
        questions = (await self.progress(run)).approvals
        chosen = [one for one in questions if request_id in (None, one.id)]
        if not chosen:
            raise NotFound(f"run {run!r} has no open approval" + (f" {request_id!r}" if request_id else ""))
        if len(chosen) > 1:
            ids = ", ".join(one.id for one in chosen)
            raise InvalidInput(f"run {run!r} has {len(chosen)} open approvals; name one of {ids}")
        return chosen[0]

    async def decide(self, run: str, decision: ApprovalDecision) -> ApprovalOutcome:
        """Answer an open question of a run.

        Raises ``InvalidInput`` when the run refuses the decision, ``NotFound`` when it has ended.
        """
        return await self._tell(f"run {run!r}", run, "decide", decision, ApprovalOutcome)
