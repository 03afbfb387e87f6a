"""Profiles: agents' definitions in TOML files, checked and joined with the contracts of their tools."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from surefoot.contracts.base import JsonObject
from surefoot.contracts.budgets import NANOS_PER_DOLLAR, BudgetLimit, ScopeKind
from surefoot.contracts.models import ModelId
from surefoot.contracts.profiles import Profile
from surefoot.contracts.tools import ToolContract
from surefoot.errors import InvalidInput, ProfileError
from surefoot.profiles.contradictions import contradictions
from surefoot.profiles.document import ProfileFile, ToolTable, close_match, problems
from surefoot.tools.contract import Tool

SHIPPED = Path(__file__).resolve().parents[2] / "agents"
"""Beside the top-level packages, in a checkout and in an installed wheel."""
DEFAULT_BUDGETS = {ScopeKind.SESSION: BudgetLimit(limit=NANOS_PER_DOLLAR // 2, soft_percent=80)}
"""For a profile that sets none; a session's can be raised, but is never without one."""

Sources = dict[Path, str]
"""The files that a profile was made from, and their texts."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_MODEL = TypeAdapter(ModelId)


class Toolbox(Protocol):
    """The tools that can be granted, and those that lack an address, with the variable that would give it."""

    @property
    def missing(self) -> Mapping[str, str]: ...
    def __contains__(self, name: object) -> bool: ...
    def __getitem__(self, name: str) -> Tool: ...
    def __iter__(self) -> Iterator[str]: ...


class Profiles:
    """The profiles in a folder, by default the shipped ones. A file that has changed counts from the next loading."""

    def __init__(self, folder: Path | None, registry: Toolbox, fallback_model: str | None = None) -> None:
        """Raises ``InvalidInput`` for a folder that is not there or a ``fallback_model`` that is no model id."""
        self._folder = SHIPPED if folder is None else folder
        self._registry = registry
        self._fallback = None if fallback_model is None else (_checked_model(fallback_model),)
        self._loaded: dict[str, tuple[Sources, Profile]] = {}
        if not self._folder.is_dir():
            raise InvalidInput(f"the folder of profiles {str(self._folder)!r} is not there; set SUREFOOT_AGENTS_DIR")

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self._folder.glob("*.toml") if _NAME.fullmatch(path.stem)))

    def load(self, name: str) -> Profile:
        """The profile with its tools' contracts; raises ``ProfileError`` that names file, key and reason."""
        sources, profile = self._loaded.get(name, ({}, None))
        return profile if profile and _still_say(sources) else self._checked(name)

    def _checked(self, name: str) -> Profile:
        known = list(self.names())
        if name not in known:
            raise ProfileError(f"unknown profile {name!r}{close_match(name, known)} (known: {', '.join(known)})")
        path, sources = self._folder / f"{name}.toml", Sources()
        try:
            profile = self._joined(name, ProfileFile.model_validate(self._document(path, sources)))
            wrong = list(contradictions(profile))
        except ValidationError as error:
            wrong = list(problems(error))
        except _Wrong as error:
            wrong = error.problems
        if wrong:
            raise ProfileError(f"{path}: " + "; ".join(f"{key}: {reason}" for key, reason in wrong))
        self._loaded[name] = (sources, profile)
        return profile

    def check_all(self) -> tuple[ProfileError, ...]:
        """What is wrong with each profile that cannot be used."""
        wrong = []
        for name in self.names():
            try:
                self.load(name)
            except ProfileError as error:
                wrong.append(error)
        return tuple(wrong)

    def _document(self, path: Path, sources: Sources) -> JsonObject:
        """What the file says, over what its ``base`` says; the texts are added to ``sources``."""
        document = _read(path, sources)
        base = document.pop("base", None)
        if base is None:
            return document
        if base not in self.names():
            raise _Wrong([("base", f"unknown profile {base!r}{close_match(str(base), list(self.names()))}")])
        below = _read(self._folder / f"{base}.toml", sources)
        if "base" in below:
            raise _Wrong([("base", f"{base!r} has a base itself; one level is enough")])
        return _laid_over(below, document)

    def _joined(self, name: str, file: ProfileFile) -> Profile:
        ungranted = [(f"tools.{tool}", self._why_not(tool)) for tool in file.tools if tool not in self._registry]
        if ungranted:
            raise _Wrong(ungranted)
        budgets = {kind: budget.model_dump() for kind, budget in {**DEFAULT_BUDGETS, **file.budgets}.items()}
        limits = file.limits.fitted()
        return Profile.model_validate(
            {
                **file.model_dump(exclude={"tools", "budgets"}),
                "limits": limits.model_dump(),
                "model_breaker": file.model_breaker.fitted(limits.model_deadline).model_dump(),
                "name": name,
                "system": file.system.strip(),
                "fallback": file.fallback if self._fallback is None else self._fallback,
                "tools": _contracts(file, self._registry),
                "budgets": budgets,
            }
        )

    def _why_not(self, tool: str) -> str:
        if variable := self._registry.missing.get(tool):
            return f"its back end is not set up; set {variable}"
        known = [*self._registry, *self._registry.missing]
        return f"there is no such tool{close_match(tool, known)}"


class _Wrong(Exception):
    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = list(problems)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: unreadable: {error}") from None


def _still_say(sources: Sources) -> bool:
    return all(path.is_file() and _text(path) == text for path, text in sources.items())


def _read(path: Path, sources: Sources) -> JsonObject:
    sources[path] = _text(path)
    try:
        return tomllib.loads(sources[path])
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path}: unreadable: {error}") from None


def _laid_over(below: JsonObject, above: JsonObject) -> JsonObject:
    """Tables are merged; anything else above replaces what is below."""
    merged = {**below, **above}
    for key, value in above.items():
        under = below.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            merged[key] = _laid_over(under, value)
    return merged


def _contracts(file: ProfileFile, registry: Toolbox) -> tuple[ToolContract, ...]:
    contracts, wrong = [], []
    for name, table in file.tools.items():
        try:
            contracts.append(_overridden(registry[name].contract(), table))
        except ValidationError as error:
            wrong += [(f"tools.{name}.{key}", reason) for key, reason in problems(error)]
    if wrong:
        raise _Wrong(wrong)
    return tuple(contracts)


def _overridden(contract: ToolContract, table: ToolTable) -> ToolContract:
    """The tool's own contract with what the profile sets in its place."""
    replaced = table.model_dump(exclude_unset=True)
    breaker = contract.breaker.model_dump() | replaced.get("breaker", {})
    return ToolContract.model_validate({**contract.model_dump(), **replaced, "breaker": breaker})


def _checked_model(model: str) -> str:
    try:
        return _MODEL.validate_python(model)
    except ValidationError:
        raise InvalidInput(
            f"FALLBACK_MODEL {model!r} is not a model; write provider and name, such as mistral:mistral-medium-2604"
        ) from None
