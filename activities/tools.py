"""Tool calls: one activity for each tool, named after it."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Protocol

from pydantic import BaseModel, JsonValue
from temporalio import activity

from activities.cutting import Scissors, Uncut
from activities.heartbeat import Tell, beating, told_at_once
from activities.tool_attempt import Attempt
from surefoot.contracts.base import JsonObject
from surefoot.contracts.tools import ToolCall, ToolResult
from surefoot.crash_points import UNARMED, CrashPoints
from surefoot.errors import (
    CallFailed,
    ErrorType,
    InvalidInput,
    StoreUnavailable,
    Superseded,
    final,
    retryable,
)
from surefoot.ports import Guards, ToolContext

UNCUT = Uncut()


class ToolPort(Protocol):
    """A tool as an activity uses it. ``execute`` and ``look_up`` raise ``ToolFailure``."""

    def validate(self, arguments: JsonObject) -> BaseModel: ...

    async def execute(self, arguments: BaseModel, context: ToolContext) -> JsonValue: ...

    async def look_up(self, context: ToolContext) -> JsonValue: ...


class Toolbox(Protocol):
    """The tools of a worker, by exact name."""

    def __iter__(self) -> Iterator[str]: ...

    def __getitem__(self, name: str) -> ToolPort: ...


class ToolActivities:
    """Validates, claims, admits, executes, completes and reports, in this order."""

    def __init__(
        self,
        tools: Toolbox,
        guards: Guards,
        crash: CrashPoints = UNARMED,
        *,
        lease: timedelta | None = None,
        tell: Tell = told_at_once,
        scissors: Scissors = UNCUT,
    ) -> None:
        """``lease`` is how long a claim lasts that its worker does not renew; past the activity's end if None.

        ``tell`` makes Temporal know that an ``unsafe`` request is about to leave.
        """
        self._tools = tools
        self._guards = guards
        self._crash = crash
        self._lease = lease
        self._tell = tell
        self._scissors = scissors

    def activities(self) -> list[Callable[[ToolCall], Awaitable[ToolResult]]]:
        """One activity for each tool, so that they can be told apart, limited and routed by name."""
        return [self._named(name) for name in self._tools]

    def _named(self, name: str) -> Callable[[ToolCall], Awaitable[ToolResult]]:
        @activity.defn(name=f"tool.{name}")
        async def tool(call: ToolCall) -> ToolResult:
            return await self._call(self._tools[name], call)

        return tool

    async def _call(self, tool: ToolPort, call: ToolCall) -> ToolResult:
        try:
            arguments = tool.validate(call.arguments)
        except InvalidInput as error:
            details = CallFailed(tool=call.contract.name, attempts=0, message=str(error))
            raise final(ErrorType.INVALID_ARGUMENTS, str(error), details) from error
        async with beating(self._tell) as pulse:
            attempt = Attempt(self._guards, tool, call, arguments, pulse, self._crash, self._lease)
            try:
                return await self._scissors.cut(call, await attempt.make())
            except Superseded as error:
                raise retryable(ErrorType.TOOL_RETRYABLE, str(error)) from error
            except StoreUnavailable as error:
                raise attempt.unmade(error) from error
