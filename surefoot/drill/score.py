"""What a drill found: how long each step took, and whether every step did what it says."""

from dataclasses import dataclass
from datetime import timedelta

from surefoot.contracts.incidents import IncidentKind, Severity


@dataclass
class Score:
    """Of one kind; filled in as the drill goes on. What it did not come to is None."""

    kind: IncidentKind
    incident: str = ""
    severity: Severity | None = None
    detected: timedelta | None = None
    """From the first failure to the opening of the incident."""
    paged: timedelta | None = None
    """From the opening to the first message's arrival."""
    acknowledged: timedelta | None = None
    """From the opening."""
    resolved: timedelta | None = None
    """From the removal of the cause, or from the moment when a person begins to type."""
    how: str = ""
    why: str = ""
    """It resolved."""
    occurrences: int = 0
    channels: tuple[str, ...] = ()
    """That were told once that it began, and once that it is over."""
    completeness: float | None = None
    """Of the runbook, between 0 and 1."""
    broken: str = ""
    """The step that did not do what it says."""
