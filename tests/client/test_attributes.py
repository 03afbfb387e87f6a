"""Search attributes: one set for those who write, find and register them; values that are found whatever they hold."""

import pytest

from surefoot.client import attributes
from surefoot.client.attributes import Search
from surefoot.embedded.temporal import SEARCH_ATTRIBUTES
from workflows import attributes as written


def test_what_is_searched_is_what_is_written_and_registered() -> None:
    assert {key.name for key in attributes.ALL} == {key.name for key in written.ALL} == set(SEARCH_ATTRIBUTES)


@pytest.mark.parametrize(
    ("value", "term"),
    [
        ("plain", " AND `Session` = 'plain'"),
        ("it's", " AND `Session` STARTS_WITH 'it'"),
        ("a\\", " AND `Session` STARTS_WITH 'a'"),
        ("' OR 1 = 1", ""),
    ],
)
def test_no_quote_of_a_value_reaches_the_query(value: str, term: str) -> None:
    query = Search("W", values={attributes.SESSION: value}).query
    assert query == "WorkflowType = 'W' AND ExecutionStatus != 'ContinuedAsNew'" + term
