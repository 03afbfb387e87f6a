"""What makes no sense in a profile although each value alone is fine."""

from collections.abc import Iterator
from datetime import timedelta

from surefoot.contracts.breakers import BreakerPolicy, Sign
from surefoot.contracts.budgets import HoldTimes
from surefoot.contracts.guardrails import tokens_in, usable
from surefoot.contracts.profiles import Profile
from surefoot.contracts.tools import Effect, ToolContract

LONGEST_MODEL_CALL = HoldTimes().sent
"""A call that takes longer is charged at its bound before it ends."""
LEAST_CONVERSATION = 500
"""Tokens: a request, a note on older turns, and a turn."""
LONGEST_TOOL_ATTEMPT = timedelta(minutes=9, seconds=54)
"""What the time for all attempts of a tool's call leaves for the first."""


def contradictions(profile: Profile) -> Iterator[tuple[str, str]]:
    """Key and reason of each one."""
    if not profile.system:
        yield "system", "is empty"
    yield from _models(profile)
    yield from _limits(profile)
    for tool in profile.tools:
        yield from _tool(tool, profile)
    for name in profile.approvals:
        if profile.tool(name) is None:
            yield f"approvals.{name}", f"the tool is not granted; add [tools.{name}]"
    yield from _breaker("model_breaker", profile.model_breaker, profile.limits.model_deadline, "limits.model_deadline")
    lease, deadline = profile.model_breaker.probe_lease, profile.limits.model_deadline
    if lease < deadline:
        yield (
            "model_breaker.probe_lease",
            f"{_told(lease)} must not be shorter than limits.model_deadline, {_told(deadline)}",
        )


def _told(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"


def _limits(profile: Profile) -> Iterator[tuple[str, str]]:
    limits = profile.limits
    longest = _told(limits.max_duration)
    if limits.model_deadline > limits.max_duration:
        told = _told(limits.model_deadline)
        yield "limits.model_deadline", f"{told} must not be longer than limits.max_duration, {longest}"
    if limits.model_deadline >= LONGEST_MODEL_CALL:
        told = f"{_told(limits.model_deadline)} must be shorter than {_told(LONGEST_MODEL_CALL)}"
        yield "limits.model_deadline", f"{told}, after which the call is charged as one whose outcome is unknown"
    if limits.store_wait > limits.max_duration:
        told = _told(limits.store_wait)
        yield "limits.store_wait", f"{told} must not be longer than limits.max_duration, {longest}"
    yield from _context(profile)


def _context(profile: Profile) -> Iterator[tuple[str, str]]:
    """A limit that system prompt, tools and answer fill by themselves cannot be kept by any summary."""
    limit, fixed = profile.limits.context_tokens, tokens_in(profile.fixed_size)
    taken = fixed + profile.max_output_tokens + LEAST_CONVERSATION
    if limit and usable(limit) < taken:
        told = (
            f"max_output_tokens, system prompt and tools take about {taken - LEAST_CONVERSATION} of the {usable(limit)}"
        )
        why = f"{told} tokens that are used of it, and {LEAST_CONVERSATION} must be left"
        yield "limits.context_tokens", f"{limit} leaves no room for a conversation: {why}"


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
        lease, span = _told(tool.breaker.probe_lease), _told(tool.span)
        twice = ", twice over since it may ask first" if tool.span > tool.deadline else ""
        yield f"{key}.breaker.probe_lease", f"{lease} must be longer than the tool's deadline{twice}, {span}"
    if tool.deadline >= profile.limits.max_duration:
        yield f"{key}.deadline", "must be shorter than limits.max_duration"
    if tool.span > LONGEST_TOOL_ATTEMPT:
        told = f"{_told(tool.span)} for one attempt is more than the {_told(LONGEST_TOOL_ATTEMPT)}"
        yield f"{key}.deadline", f"{told} that a call has with all its attempts"
    yield from _breaker(f"{key}.breaker", tool.breaker, tool.span, "the tool's deadline")


def _breaker(key: str, policy: BreakerPolicy, longest: timedelta, called: str) -> Iterator[tuple[str, str]]:
    if Sign.SLOW in policy.opens_on and policy.slow_after >= longest:
        slow = f"{_told(policy.slow_after)} must be shorter than {called}, {_told(longest)}"
        yield f"{key}.slow_after", f"{slow}, or no call is slow"
    if policy.open_at_most < policy.open_for:
        yield f"{key}.open_at_most", "must not be shorter than open_for"
