"""Calls one level after another, on durable timers, until somebody acknowledges or it is over."""

from contextlib import suppress

from temporalio import workflow

from surefoot.incidents import record
from surefoot.incidents.schedule import next_call
from workflows.case import Case
from workflows.paging import Pager


class Escalation:
    """A timer for each level and no event for anything else: reports and messages do not wake it."""

    def __init__(self, case: Case, pager: Pager) -> None:
        self._case = case
        self._pager = pager

    @property
    def behind(self) -> bool:
        """Whether a level is to be told now."""
        call = next_call(self._case.incident)
        return call is not None and call.at <= workflow.now()

    async def run(self) -> None:
        """Ends when the incident is resolved."""
        case = self._case
        while not case.resolved:
            call = next_call(case.incident)
            if call is None:
                await workflow.wait_condition(lambda: case.resolved or next_call(case.incident) is not None)
            elif call.at <= workflow.now():
                self._pager.call(call)
                case.become(record.called(case.incident, call, workflow.now()))
            else:
                await self._until_due()

    async def _until_due(self) -> None:
        case, call = self._case, next_call(self._case.incident)
        if call is None:
            return
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: next_call(case.incident) != call,
                timeout=call.at - workflow.now(),
                timeout_summary=f"calls level {call.number + 1} of round {call.round + 1}",
            )
