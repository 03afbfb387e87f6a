"""Finding executions by their search attributes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from temporalio.client import WorkflowExecution
from temporalio.common import SearchAttributeKey

Keyword = SearchAttributeKey[str]


@dataclass(frozen=True)
class Search:
    """Which executions of a workflow are wanted.

    No escape for quotes and backslashes works in every visibility store (SQLite takes none), so a value that holds
    one is narrowed down by what stands before it, and ``matches`` does the rest.
    """

    workflow: str
    statuses: Sequence[str] = ()
    """Temporal's own; any if empty."""
    values: Mapping[Keyword, str | None] = field(default_factory=dict)
    """Wanted values; None is any."""
    continued: bool = False
    """Also those that went on as new ones."""

    @property
    def query(self) -> str:
        """What goes to Temporal."""
        terms = [f"WorkflowType = '{self.workflow}'", "" if self.continued else "ExecutionStatus != 'ContinuedAsNew'"]
        if self.statuses:
            terms.append(f"ExecutionStatus IN ({', '.join(map(repr, self.statuses))})")
        terms += [_term(key.name, value) for key, value in self.values.items() if value]
        return " AND ".join(filter(None, terms))

    def matches(self, execution: WorkflowExecution) -> bool:
        found = execution.typed_search_attributes
        return all(value is None or found.get(key) == value for key, value in self.values.items())


def _term(name: str, value: str) -> str:
    """A condition that every execution with this value meets. Some names, such as Session, are reserved words."""
    head = re.split(r"['\"\\]", value, maxsplit=1)[0]
    if head == value:
        return f"`{name}` = '{value}'"
    return f"`{name}` STARTS_WITH '{head}'" if head else ""
