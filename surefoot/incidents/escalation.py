"""Who is told of an incident after how many minutes, in words for its runbook."""

from datetime import timedelta

from surefoot.contracts.incidents import Severity
from surefoot.contracts.oncall import Escalation, Level
from surefoot.incidents.markdown import Written, name

UNNAMED: dict[Severity, tuple[int, str]] = {
    Severity.SEV1: (5, "call the on-call lead, and tell everyone who runs agents"),
    Severity.SEV2: (15, "call the on-call lead"),
    Severity.SEV3: (60, "ask the team that owns what failed"),
    Severity.SEV4: (480, "ask the team that owns what failed, in its working hours"),
    Severity.SEV5: (1440, "look at it on the next working day; nobody is called"),
}
"""Minutes, and what follows then, where no policy says who is told."""


def steps(severity: Severity, escalation: Escalation | None) -> tuple[Written, ...]:
    """What follows while nobody acknowledges the incident, in order."""
    if escalation is None or not escalation.levels:
        minutes, then = UNNAMED[severity]
        return (Written(f"after {counted(minutes, 'minute')}: {then}"),)
    found = tuple(_told(level) for level in escalation.levels)
    if not escalation.repeats:
        return found
    again = f"{counted(escalation.repeats, 'time')} more, every {_minutes(escalation.every)}"
    return (*found, Written(f"then all of it again, {again}"))


def _told(level: Level) -> Written:
    *others, last = level.channels
    channels = f"{', '.join(others)} and {last}" if others else last
    return Written(f"after {_minutes(level.after)}: {name(level.who)}, by {channels}")


def _minutes(length: timedelta) -> str:
    return counted(length.total_seconds() / 60, "minute")


def counted(number: float, what: str) -> str:
    """A number with its noun, such as ``1 minute`` or ``90 minutes``."""
    return f"{number:.10g} {what}" if number == 1 else f"{number:.10g} {what}s"
