"""Finding executions by search attributes, whatever values they hold."""

import pytest

from surefoot import attributes
from surefoot.client.search import Search


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
