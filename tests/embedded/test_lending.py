"""What is lent, and what is not because it is given."""

import pytest

from surefoot.embedded.lending import CHANNELS, simulated
from surefoot.incidents.channels.registry import VARIABLES
from surefoot.simulator.client import ADDRESSES, sink_variables

URL = "http://127.0.0.1:1"
SINKS = sink_variables(f"{URL}/w/main")
REAL = dict.fromkeys(ADDRESSES, "http://127.0.0.1:2")


def test_incidents_go_to_the_simulator_where_everything_is_simulated() -> None:
    assert simulated({}, URL).items() >= SINKS.items()


def test_the_channels_that_count_as_given_are_those_that_there_are() -> None:
    assert {*VARIABLES.values()} == CHANNELS


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_nobody_is_told_by_the_simulator_where_people_are_told_in_earnest(channel: str) -> None:
    assert simulated({channel: "given"}, URL).keys().isdisjoint(SINKS)


def test_nothing_is_simulated_for_the_sake_of_a_channel() -> None:
    assert simulated(REAL, URL) == {}
