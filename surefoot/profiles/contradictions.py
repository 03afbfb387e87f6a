"""What makes no sense in a profile although each value alone is fine."""

from collections.abc import Iterator

from surefoot.contracts.breakers import BreakerPolicy
from surefoot.contracts.profiles import Profile
from surefoot.contracts.tools import Effect, ToolContract


def contradictions(profile: Profile) -> Iterator[tuple[str, str]]:
    """Key and reason of each one."""
    if not profile.system:
        yield "system", "is empty"
    yield from _models(profile)
    for tool in profile.tools:
        yield from _tool(tool, profile)
    for name in profile.approvals:
        if profile.tool(name) is None:
            yield f"approvals.{name}", f"the tool is not granted; add [tools.{name}]"
    yield from _breaker("model_breaker", profile.model_breaker)


def _models(profile: Profile) -> Iterator[tuple[str, str]]:
    for key, models in (("ladder", profile.ladder), ("fallback", profile.fallback)):
        if len(set(models)) < len(models):
            yield key, "names a model twice"
    for model in set(profile.ladder).intersection(profile.fallback):
        yield "fallback", f"{model!r} is on the ladder already, so it is no help when that is out"


def _tool(tool: ToolContract, profile: Profile) -> Iterator[tuple[str, str]]:
    key = f"tools.{tool.name}"
    if tool.effect is Effect.UNSAFE and tool.attempts != 1:
        yield f"{key}.attempts", f"must be 1, not {tool.attempts}: the tool is unsafe and is never repeated on doubt"
    if tool.breaker.probe_lease <= tool.span:
        lease, span = tool.breaker.probe_lease.total_seconds(), tool.span.total_seconds()
        twice = ", twice over since it may ask first" if tool.span > tool.deadline else ""
        yield f"{key}.breaker.probe_lease", f"{lease:g} s must be longer than the tool's deadline{twice}, {span:g} s"
    if tool.deadline >= profile.limits.max_duration:
        yield f"{key}.deadline", "must be shorter than limits.max_duration"
    yield from _breaker(f"{key}.breaker", tool.breaker)


def _breaker(key: str, policy: BreakerPolicy) -> Iterator[tuple[str, str]]:
    if policy.open_at_most < policy.open_for:
        yield f"{key}.open_at_most", "must not be shorter than open_for"
