"""Sends what an incident has to say: one activity a message, each channel for itself."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.notifications import NotificationActivities
from surefoot.contracts.oncall import ChannelName, Delivery, DeliveryState, Notice, Notification
from surefoot.errors import detail
from surefoot.incidents import record
from surefoot.incidents.markdown import clean
from surefoot.incidents.notices import notification
from surefoot.incidents.schedule import Call
from workflows import policies
from workflows.case import Case


class Pager:
    """Each channel takes its messages in order; no channel waits for another.

    A page that is still being tried is given up once somebody acknowledges, so that it does not call anyone
    afterwards. What may have arrived is ended by the same dedup key as what has.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._lanes: dict[ChannelName, asyncio.Task[None]] = {}

    def call(self, call: Call) -> None:
        """Tell a level, by all its channels at once."""
        incident = self._case.incident
        who = record.addressee(incident, call)
        for channel in call.level.channels:
            page = notification(incident, channel, Notice.TRIGGER, who, level=call.number, round=call.round)
            self._append(channel, asyncio.create_task(self._page(self._lanes.get(channel), page)))

    def acknowledge(self) -> None:
        """Tell the channels that were paged that somebody works on it."""
        self._follow_up(Notice.ACKNOWLEDGE)

    def resolve(self) -> None:
        """Tell the channels that were paged that it is over."""
        self._follow_up(Notice.RESOLVE)

    @property
    def quiet(self) -> bool:
        """Whether no message is under way."""
        return all(lane.done() for lane in self._lanes.values())

    def raise_failures(self) -> None:
        """Raise what went wrong in here, if anything did; what went wrong at a channel is told on the incident."""
        for lane in self._lanes.values():
            if lane.done() and not lane.cancelled() and (error := lane.exception()):
                raise error

    def _follow_up(self, notice: Notice) -> None:
        for channel in sorted({*self._lanes, *record.reached(self._case.incident)}):
            before = self._lanes.get(channel)
            if before:
                before.cancel()
            self._append(channel, asyncio.create_task(self._end(before, channel, notice)))

    def _append(self, channel: ChannelName, lane: asyncio.Task[None]) -> None:
        self._lanes[channel] = lane

    async def _page(self, before: asyncio.Task[None] | None, page: Notification) -> None:
        await _over(before)
        await self._send(page)

    async def _end(self, before: asyncio.Task[None] | None, channel: ChannelName, notice: Notice) -> None:
        """Whether the channel was paged is known only once its earlier messages are over."""
        await _over(before)
        if who := record.reached(self._case.incident).get(channel):
            await self._send(notification(self._case.incident, channel, notice, who))

    async def _send(self, message: Notification) -> None:
        try:
            delivery = await workflow.execute_activity_method(
                NotificationActivities.send,
                message,
                start_to_close_timeout=policies.PAGE_TIMEOUT,
                retry_policy=policies.PAGE_RETRY,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary=f"{message.notice} by {message.channel} for {clean(message.who, 60)}",
            )
        except ActivityError as error:
            delivery = _failed(message, error)
        self._case.become(record.delivered(self._case.incident, delivery))


async def _over(before: asyncio.Task[None] | None) -> None:
    if before:
        await workflow.wait_condition(before.done)  # awaited itself, it would be cancelled with its successor


def _failed(message: Notification, error: ActivityError) -> Delivery:
    """The delivery that was not one. Only a channel that refused for good has surely not taken it."""
    cause = error.cause
    told = detail(cause, Delivery) if isinstance(cause, ApplicationError) else None
    refused = isinstance(cause, ApplicationError) and cause.non_retryable
    delivery = told or Delivery(
        channel=message.channel,
        notice=message.notice,
        who=message.who,
        state=DeliveryState.FAILED,
        at=workflow.now(),
        problem="given up: somebody acts on it" if is_cancelled_exception(error) else clean(str(cause or error)),
    )
    return delivery.model_copy(update={"in_doubt": not refused})
