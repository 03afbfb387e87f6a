"""The activity hands each failure to Temporal as what it is."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.notifications import NotificationActivities
from surefoot.contracts.oncall import Delivery, DeliveryState
from surefoot.errors import ErrorType, detail
from surefoot.incidents.channels.registry import Channels
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.faults import FaultKind
from tests.incidents.channels.notices import notification


async def sent(found: Channels, channel: str = "pagerduty") -> Delivery:
    return await ActivityEnvironment().run(NotificationActivities(found).send, notification(channel))


async def refusal(found: Channels, channel: str = "pagerduty") -> tuple[ApplicationError, Delivery]:
    with pytest.raises(ApplicationError) as caught:
        await sent(found, channel)
    delivery = detail(caught.value, Delivery)
    assert delivery is not None
    assert caught.value.type == ErrorType.DELIVERY_FAILED
    return caught.value, delivery


async def test_a_delivery_says_to_whom_and_what_the_receiver_calls_it(sinks: Channels) -> None:
    delivery = await sent(sinks)
    assert (delivery.state, delivery.channel, delivery.who) == (DeliveryState.DELIVERED, "pagerduty", "on call")
    assert (delivery.reference, delivery.attempts, delivery.problem) == (notification().incident_id, 1, "")


async def test_a_wrong_key_is_not_tried_again(sinks: Channels, simulator: SimulatorClient) -> None:
    await simulator.fault("pagerduty", FaultKind.STATUS, status=401)
    error, delivery = await refusal(sinks)
    assert error.non_retryable
    assert delivery.state is DeliveryState.FAILED
    assert "pagerduty answered 401" in delivery.problem
    assert "check PAGERDUTY_ROUTING_KEY" in delivery.problem


async def test_an_overload_is_tried_again_after_the_time_asked_for(sinks: Channels, simulator: SimulatorClient) -> None:
    await simulator.fault("pagerduty", FaultKind.STATUS, status=429, retry_after=timedelta(seconds=9))
    error, _ = await refusal(sinks)
    assert not error.non_retryable
    assert error.next_retry_delay == timedelta(seconds=9)


async def test_a_channel_that_is_not_set_up_fails_for_good(sinks: Channels) -> None:
    error, delivery = await refusal(sinks, "apprise")
    assert error.non_retryable
    assert "apprise is not set up on this worker" in delivery.problem
