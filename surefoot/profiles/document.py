"""A profile's file as it is written: its tables, and the words for what is wrong in them."""

import difflib
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from surefoot.contracts.base import Duration, parse_duration
from surefoot.contracts.breakers import BreakerPolicy
from surefoot.contracts.budgets import NANOS_PER_DOLLAR, BudgetLimit, ScopeKind
from surefoot.contracts.profiles import ApprovalRule, Limits

_DOLLARS = re.compile(r"[0-9]{1,7}(\.[0-9]{1,9})?", re.ASCII)


def nanos_of(dollars: object) -> int:
    """Nano-dollars of a decimal string of dollars: ``"0.50"`` is 500000000. Exact: no float is taken."""
    if not isinstance(dollars, str) or not _DOLLARS.fullmatch(dollars):
        raise ValueError(f'{dollars!r} is not money: write dollars in quotes, such as "0.50"')
    return int(Decimal(dollars) * NANOS_PER_DOLLAR)


class _Table(BaseModel):
    """A table of the file: unknown keys are refused, and values are what TOML says they are."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: object, info: ValidationInfo) -> object:
        kind = cls.model_fields[info.field_name or ""].annotation
        if kind is timedelta:
            return _span(value)
        if kind is int and info.field_name != "limit" and type(value) is not int:
            raise ValueError(f"{value!r} is not a whole number")
        return value


def _span(text: object) -> timedelta:
    span = parse_duration(text)
    if not isinstance(span, timedelta):
        raise ValueError(f'{text!r} is not a time span: write a number and its unit in quotes, such as "10s"')
    if not span:
        raise ValueError(f"{text!r} is no time at all")
    return span


class BreakerTable(_Table, BreakerPolicy):
    """``[tools.<name>.breaker]`` and ``[model_breaker]``."""

    def fitted(self, call: timedelta) -> BreakerPolicy:
        """A lease that is not written is as long as a call may take."""
        return self if "probe_lease" in self.model_fields_set else self.outlasting(call)


class LimitsTable(_Table, Limits):
    """``[limits]``."""

    def fitted(self) -> Limits:
        """What is not written is no longer than the run, which may be shorter than the default."""
        unwritten = {"store_wait", "model_deadline"} - self.model_fields_set
        fitting = {name: min(getattr(self, name), self.max_duration) for name in unwritten}
        return Limits(**{**self.model_dump(), **fitting})


class ApprovalTable(_Table, ApprovalRule):
    """``[approvals.<tool>]``."""


class BudgetTable(_Table, BudgetLimit):
    """``[budgets.<scope>]``; the limit is dollars in quotes."""

    limit: Annotated[int, BeforeValidator(nanos_of)]


class ToolTable(_Table):
    """``[tools.<name>]`` grants the tool; what is set here replaces the tool's own."""

    deadline: Duration = timedelta(seconds=10)
    attempts: int = 4
    fallback: str = ""
    breaker: BreakerTable = BreakerTable()


class ProfileFile(_Table):
    """The whole file."""

    description: str = ""
    system: str
    ladder: tuple[str, ...]
    fallback: tuple[str, ...] = ()
    tools: dict[str, ToolTable] = Field(default_factory=dict)
    temperature: float | None = None
    max_output_tokens: int = 1024
    parallel_tools: bool = True
    limits: LimitsTable = LimitsTable()
    budgets: dict[ScopeKind, BudgetTable] = Field(default_factory=dict)
    approvals: dict[str, ApprovalTable] = Field(default_factory=dict)
    model_breaker: BreakerTable = BreakerTable()


_TABLES: tuple[type[BaseModel], ...] = (
    ProfileFile,
    ToolTable,
    BreakerTable,
    LimitsTable,
    BudgetTable,
    ApprovalTable,
)
_KEYS = sorted({"base", *(key for table in _TABLES for key in table.model_fields)})


def problems(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Key and reason of each thing that is wrong."""
    for problem in error.errors():
        key = ".".join(str(step) for step in problem["loc"] if step != "[key]")
        given = problem["input"]
        match problem["type"]:
            case "extra_forbidden":
                yield key, f"unknown key{close_match(str(problem['loc'][-1]), _KEYS)}"
            case "missing":
                yield key, "is not set"
            case "string_pattern_mismatch":
                yield key, f"{given!r} is not a model; write gemini:NAME or mistral:NAME"
            case "value_error":
                yield key, problem["msg"].removeprefix("Value error, ")
            case _:
                yield key, f"{problem['msg']}, not {given!r}"


def close_match(word: str, known: list[str]) -> str:
    """A question to add to a message about an unknown word, or nothing."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
