"""Telling people of an incident, one message on one channel at a time."""

from collections.abc import Mapping
from datetime import UTC, datetime

from temporalio import activity

from surefoot import errors
from surefoot.contracts.oncall import Delivery, DeliveryState, Notification
from surefoot.crash_points import UNARMED, CrashPoint, CrashPoints
from surefoot.errors import DeliveryFailure, ErrorType, Fault
from surefoot.ports import ChannelPort


class NotificationActivities:
    """Each attempt sends once: Temporal alone retries, and the receiver tells repetitions by the incident's id."""

    def __init__(self, channels: Mapping[str, ChannelPort], crash: CrashPoints = UNARMED) -> None:
        self._channels = channels
        self._crash = crash

    @activity.defn(name="notifications.send")
    async def send(self, notification: Notification) -> Delivery:
        """Send one message. Fails with ``DeliveryFailed`` and, as its detail, the delivery that was not one."""
        channel = self._channels.get(notification.channel)
        if channel is None:
            problem = f"{notification.channel} is not set up on this worker; `./starter.py doctor` says what to set"
            raise errors.final(ErrorType.DELIVERY_FAILED, problem, _delivery(notification, problem=problem))
        try:
            reference = await channel.send(notification)
        except DeliveryFailure as failure:
            raise _failed(notification, failure) from None
        self._crash.reach(CrashPoint.AFTER_PAGE)
        return _delivery(notification, reference=reference)


def _failed(notification: Notification, failure: DeliveryFailure) -> Exception:
    delivery = _delivery(notification, problem=str(failure))
    if failure.fault is Fault.PERMANENT:
        return errors.final(ErrorType.DELIVERY_FAILED, str(failure), delivery)
    return errors.retryable(ErrorType.DELIVERY_FAILED, str(failure), delivery, retry_after=failure.retry_after)


def _delivery(notification: Notification, *, reference: str = "", problem: str = "") -> Delivery:
    return Delivery(
        channel=notification.channel,
        notice=notification.notice,
        who=notification.who,
        state=DeliveryState.FAILED if problem else DeliveryState.DELIVERED,
        at=datetime.now(UTC),
        attempts=activity.info().attempt,
        reference=reference,
        problem=problem,
    )
