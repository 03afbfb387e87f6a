"""Runs that fail, for incidents to be told of."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from surefoot.contracts.base import Message
from surefoot.contracts.incidents import IncidentReport, Recovery
from workflows.reporting import Told, recovered, tell


@workflow.defn
class TellingRun:
    """Tells of a failure, and ends at once."""

    @workflow.run
    async def run(self, report: IncidentReport) -> Told:
        return await tell(report)


class Mending(Message):
    incident_id: str
    recovery: Recovery


@workflow.defn
class MendingRun:
    """Sees that what failed works again."""

    @workflow.run
    async def run(self, mending: Mending) -> Told:
        return await recovered(mending.incident_id, mending.recovery)


@activity.defn(name="tool.create_order")
async def create_order() -> None:
    raise ApplicationError("503 for bob@example.com with Bearer abc.def.ghi", type="ToolRetryable")


@activity.defn(name="guardrails.check")
async def check() -> None:
    """Nothing to say."""


@workflow.defn
class FailingRun:
    """Checks, waits, calls a tool that fails twice, is asked something, and fails."""

    def __init__(self) -> None:
        self._answered = False

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_local_activity(check, schedule_to_close_timeout=timedelta(seconds=5))
        await workflow.sleep(timedelta(milliseconds=10), summary="waiting for Redis")
        try:
            await workflow.execute_activity(
                create_order,
                start_to_close_timeout=timedelta(seconds=5),
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=2),
                summary="2 lamps",
            )
        except ActivityError:
            await workflow.wait_condition(lambda: self._answered)
            raise ApplicationError("no lamps", type="ToolFailed", non_retryable=True) from None

    @workflow.update
    def decide(self) -> None:
        self._answered = True


@workflow.defn
class LongRun:
    """Leaves many entries in its history."""

    @workflow.run
    async def run(self) -> None:
        await asyncio.gather(*(workflow.sleep(timedelta(milliseconds=1)) for _ in range(64)))


@workflow.defn
class EndlessRun:
    """Goes on in one new history after another, waiting a little in each."""

    @workflow.run
    async def run(self, left: int) -> None:
        await workflow.sleep(timedelta(milliseconds=1), summary=f"{left} left")
        if left:
            workflow.continue_as_new(left - 1)
