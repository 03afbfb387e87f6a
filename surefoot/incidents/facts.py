"""The facts of a report, as its runbook reads them: what is missing is said to be missing."""

from itertools import islice

from pydantic import JsonValue

from surefoot.contracts.budgets import dollars
from surefoot.contracts.incidents import IncidentReport
from surefoot.idempotency import canonical
from surefoot.incidents.markdown import Written, code, name

MONEY = frozenset({"settled", "held", "limit", "soft_line", "unknown", "cost_nanos", "bound", "cost"})
"""Facts in nano-dollars."""
NAMES = frozenset({"effect_key", "request"})
"""Facts that must be copied in full, and are no secrets although they look like some."""

LISTED = 40
"""Facts that a list of all shows."""

NOT_RECORDED = Written("not recorded")


def written(value: JsonValue) -> str:
    """A value as JSON; one that JSON has no form for, such as an infinity, as Python shows it."""
    try:
        return canonical(value)
    except ValueError:
        return repr(value)


class Facts:
    """Read by templates; every answer is safe in Markdown."""

    def __init__(self, report: IncidentReport) -> None:
        self._facts = report.facts

    def has(self, key: str) -> bool:
        return self._facts.get(key) is not None

    def show(self, key: str) -> Written:
        """One fact, in the form that suits it."""
        value = self._facts.get(key)
        if value is None:
            return NOT_RECORDED
        if key in MONEY and isinstance(value, int):
            return Written(f"${dollars(value)}")
        if isinstance(value, bool | int):
            return Written(str(value).lower())
        text = value if isinstance(value, str) else written(value)
        return name(text) if key in NAMES else code(text)

    def share(self, part: str, whole: str) -> Written:
        """One amount in per cent of another, rounded down, so that less than all is never 100 %."""
        taken, given = self._number(part), self._number(whole)
        return Written(f"{100 * taken // given} %") if taken is not None and given else NOT_RECORDED

    @property
    def all(self) -> tuple[tuple[Written, Written], ...]:
        """Every fact with its name, in order; where there are very many, how many were left out."""
        shown = tuple((code(key), self.show(key)) for key in islice(self._facts, LISTED))
        left = len(self._facts) - LISTED
        return (*shown, (Written("and"), Written(f"{left} more"))) if left > 0 else shown

    def _number(self, key: str) -> int | None:
        value: JsonValue = self._facts.get(key)
        return value if isinstance(value, int) else None
