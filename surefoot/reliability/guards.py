"""Breaker, budget and ledger together: each method is one batch of atomic scripts.

Every script is named by what it is done for (hold and attempt, owner and attempt, fence, permit), so that each
method may be repeated after a lost reply and answers the same.
"""

from datetime import timedelta
from typing import Self

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.budgets import HoldTimes
from surefoot.contracts.models import ModelBooking
from surefoot.contracts.tools import ToolBooking
from surefoot.ports import Receipt
from surefoot.reliability.breaker import RedisBreaker
from surefoot.reliability.budget import Budget
from surefoot.reliability.ledger import REMEMBERED, Ledger
from surefoot.reliability.local_breaker import LocalBreaker
from surefoot.reliability.model_calls import ModelCalls
from surefoot.reliability.permits import Report
from surefoot.reliability.prices import Prices
from surefoot.reliability.routes import Routes
from surefoot.reliability.store import Step, Store
from surefoot.reliability.tool_calls import ToolCalls
from surefoot.reliability.transcripts import AT_HAND, RedisTranscripts


class RedisGuards(ModelCalls, ToolCalls):
    """The port ``Guards`` on Redis. Without Redis, a ``read`` tool goes on with this process's own breaker.

    Beyond the port: ``mark_sent`` and ``begin_model_call`` raise ``Superseded`` when a later attempt or another
    owner has taken over, and nothing may be sent. A stale owner's completion or failure changes nothing in the
    ledger and is told by ``Receipt.superseded``.
    """

    def __init__(
        self,
        store: Store,
        prefix: str,
        *,
        hold_times: HoldTimes | None = None,
        remembered: timedelta = REMEMBERED,
        at_hand: int = AT_HAND,
    ) -> None:
        """``at_hand`` are the bytes of conversations that need not be read again."""
        super().__init__(
            store=store,
            breaker=RedisBreaker(store, prefix),
            local_breaker=LocalBreaker(),
            budget=Budget(store, prefix, hold_times, remembered),
            prices=Prices(prefix),
            routes=Routes(prefix),
            ledger=Ledger(store, prefix, remembered),
            transcripts=RedisTranscripts(store, prefix, at_hand=at_hand),
        )

    @classmethod
    def connect(cls, url: str, *, prefix: str, timeout: timedelta, at_hand: int = AT_HAND) -> Self:
        """Nothing is sent before the first call. Raises ``InvalidInput`` for an address that is none."""
        return cls(Store.connect(url, timeout=timeout), prefix, at_hand=at_hand)

    async def close(self) -> None:
        await self.store.close()

    async def book(self, booking: ModelBooking | ToolBooking) -> Receipt:
        """A tool's failure that does not say what becomes of its claim leaves it: in doubt, if it was sent."""
        report = Report(booking.permit, booking.verdict, took=booking.took)
        if isinstance(booking, ModelBooking):
            return await self._end_model_call(booking.charge, report)
        return await self._end_tool_call(self._recording(booking), report)

    def _recording(self, booking: ToolBooking) -> Step[bool] | None:
        if booking.claim is None:
            return None
        if booking.verdict is Verdict.SUCCESS:
            return self.ledger.complete_step(booking.claim, booking.content)
        return self.ledger.fail_step(booking.claim, booking.fate, reached=booking.reached) if booking.fate else None
