"""The file of an on-call policy as it is written: its tables, and what may stand in them."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, field_validator
from pydantic import model_validator as whole

from surefoot.contracts.base import parse_duration
from surefoot.contracts.incidents import IncidentKind, Severity
from surefoot.contracts.oncall import ChannelName, Escalation, Level

SeverityName = Literal["SEV1", "SEV2", "SEV3", "SEV4", "SEV5"]
QUIET = ("SEV4", "SEV5")
PAGERS: tuple[ChannelName, ...] = ("pagerduty", "opsgenie")
"""Channels that phone people."""


def _span(text: object) -> timedelta:
    span = parse_duration(text)
    if not isinstance(span, timedelta):
        raise ValueError(f'{text!r} is not a time span: write a number and its unit in quotes, such as "15m"')
    return span


def _some_time(text: object) -> timedelta:
    span = _span(text)
    if not span:
        raise ValueError(f"{text!r} is no time at all")
    return span


Delay = Annotated[timedelta, BeforeValidator(_span)]
Span = Annotated[timedelta, BeforeValidator(_some_time)]
Pattern = Annotated[str, Field(min_length=1, max_length=512)]


class _Table(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SeverityTable(_Table):
    """``[[severity]]``."""

    kind: IncidentKind
    subject: Pattern = "*"
    tenant: Pattern = "*"
    severity: SeverityName
    why: str = Field(min_length=1, max_length=1000)


class LevelTable(_Table, Level):
    """``[[escalation.SEV….levels]]``."""

    after: Delay = timedelta(0)

    @field_validator("channels")
    @classmethod
    def _named_once(cls, channels: tuple[ChannelName, ...]) -> tuple[ChannelName, ...]:
        if len(set(channels)) < len(channels):
            raise ValueError("names a channel twice")
        return channels


class EscalationTable(_Table, Escalation):
    """``[escalation.SEV…]``."""

    levels: tuple[LevelTable, ...] = ()
    repeats: StrictInt = Field(default=0, ge=0, le=100)
    every: Span = timedelta(minutes=30)

    @whole(mode="after")
    def _in_order(self) -> "EscalationTable":
        if any(later.after < earlier.after for earlier, later in pairwise(self.levels)):
            raise ValueError("levels must be in the order of their time")
        if self.repeats and self.levels and self.levels[-1].after >= self.every:
            raise ValueError("a round must be longer than until its last level; make every longer")
        return self


class IncidentsTable(_Table):
    """``[incidents]``."""

    watch_every: Span = timedelta(minutes=5)
    stale_after: Span = timedelta(days=7)
    enrich: StrictBool = True


class PolicyFile(_Table):
    """The whole file."""

    incidents: IncidentsTable = IncidentsTable()
    severity: tuple[SeverityTable, ...] = ()
    escalation: Mapping[SeverityName, EscalationTable]

    @field_validator("escalation")
    @classmethod
    def _whole_and_quiet(cls, tables: Mapping[str, EscalationTable]) -> Mapping[str, EscalationTable]:
        if missing := [one.name for one in Severity if one.name not in tables]:
            raise ValueError(f"{missing[0]} is not set; a severity of which nobody is told has a table without levels")
        for name in QUIET:
            pagers = [channel for level in tables[name].levels for channel in level.channels if channel in PAGERS]
            if pagers:
                raise ValueError(f"{name} must not phone anyone: take {pagers[0]} out of its levels")
        return tables

    @staticmethod
    def keys() -> list[str]:
        """Every key that there is."""
        tables = (PolicyFile, IncidentsTable, SeverityTable, EscalationTable, LevelTable)
        return sorted({key for table in tables for key in table.model_fields})
