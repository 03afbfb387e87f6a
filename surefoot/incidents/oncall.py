"""The on-call policy: how bad an incident is, and who is told of it, by a TOML file."""

import tomllib
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from surefoot.contracts.incidents import Assessment, IncidentReport, Severity
from surefoot.contracts.oncall import Escalation, Level
from surefoot.errors import InvalidInput
from surefoot.incidents import severity
from surefoot.incidents.oncall_file import IncidentsTable, PolicyFile, SeverityTable
from surefoot.profiles.document import close_match

SHIPPED = "oncall.toml"


class OnCall:
    """A policy that has been checked. Its rules come before the built-in table."""

    def __init__(self, file: PolicyFile) -> None:
        self._file = file
        self._escalations = {Severity[name]: table for name, table in file.escalation.items()}

    @property
    def incidents(self) -> IncidentsTable:
        """What is equal for every incident."""
        return self._file.incidents

    def assess(self, report: IncidentReport) -> Assessment:
        """The severity by the first rule that matches, else by the built-in table."""
        for number, rule in enumerate(self._file.severity, 1):
            if _matches(rule, report):
                return Assessment(severity=Severity[rule.severity], rule=f"on-call-{number}", why=rule.why)
        return severity.assess(report)

    def told(self, of: Severity) -> bool:
        """Whether the policy has anybody told of this severity."""
        return bool(self._escalations[of].levels)

    def escalation(self, of: Severity, channels: Collection[str]) -> Escalation:
        """The levels of a severity, by those of their channels that are set up; one without any is left out."""
        written = self._escalations[of]
        levels = [Level(after=one.after, who=one.who, channels=one.channels) for one in _able(written, channels)]
        return Escalation(levels=tuple(levels), repeats=written.repeats, every=written.every)


def _matches(rule: SeverityTable, report: IncidentReport) -> bool:
    by_subject = fnmatchcase(report.subject, rule.subject)
    return rule.kind == report.kind and by_subject and fnmatchcase(report.tenant, rule.tenant)


def _able(escalation: Escalation, channels: Collection[str]) -> Iterator[Level]:
    for level in escalation.levels:
        if usable := tuple(channel for channel in level.channels if channel in channels):
            yield level.model_copy(update={"channels": usable})


def load(path: Path | None = None) -> OnCall:
    """Read the policy in this file, or the shipped one.

    Raises ``InvalidInput``, in one line with file, key and reason, for the first thing that is wrong.
    """
    file: Path | Traversable = path or resources.files("surefoot.incidents") / SHIPPED
    name = str(path) if path else SHIPPED
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"on-call policy {name!r}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"on-call policy {name!r}: is not TOML: {error}") from None
    try:
        return OnCall(PolicyFile.model_validate(document))
    except ValidationError as error:
        key, reason = _problem(error)
        raise InvalidInput(f"on-call policy {name!r}: {key}: {reason}") from None


def _problem(error: ValidationError) -> tuple[str, str]:
    """Key and reason of the first thing that is wrong."""
    problem = error.errors(include_url=False)[0]
    key = ".".join(str(step) for step in problem["loc"] if step != "[key]")
    match problem["type"]:
        case "extra_forbidden":
            return key, f"unknown key{close_match(str(problem['loc'][-1]), PolicyFile.keys())}"
        case "missing":
            return key, "is not set"
        case "value_error":
            return key, problem["msg"].removeprefix("Value error, ")
        case _:
            given = repr(problem["input"])
            return key, f"{problem['msg']}, not {given if len(given) < 80 else given[:80] + '…'}"
