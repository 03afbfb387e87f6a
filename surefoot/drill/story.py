"""What a drill tells of: trouble that really comes about, and how it is mended."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from surefoot.contracts.incidents import Incident
from surefoot.drill.field import Field


@dataclass(frozen=True)
class Trouble:
    """What has been brought about: what its incident is about, and since when it has failed."""

    subject: str
    since: datetime


Story: TypeAlias = Callable[[Field], AsyncGenerator[Trouble, Incident]]
"""Brings trouble about, yields it, is sent the incident once a person has acknowledged it, and mends what failed."""
