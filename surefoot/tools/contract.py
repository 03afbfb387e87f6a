"""What a tool is: as its author writes it, and as a worker runs it.

A tool is one file and one line in the registry:

    class StartReturn(Arguments):
        order_id: Annotated[str, Field(description="The order's number.", min_length=1)]

    @tool(backend="return_url", effect=Effect.KEYED)
    async def start_return(arguments: StartReturn, context: ToolContext, backend: Backend) -> JsonValue:
        '''Start the return of an order.'''
        return await backend.post("returns", body={"order_id": arguments.order_id}, context=context)

The function's name is the tool's, its docstring is what the model reads.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Required, TypeAlias, TypedDict, TypeVar, Unpack, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import BreakerPolicy, Verdict
from surefoot.contracts.tools import Effect, ToolContract
from surefoot.errors import Fault, InvalidInput, ToolFailure
from surefoot.ports import ToolContext
from surefoot.schema import normalised
from surefoot.tools.parameters import parameters_of

GRACE = timedelta(milliseconds=250)
"""A handler classifies its own time-outs better than we can from outside, so it gets this much longer."""


class Arguments(BaseModel):
    """Base of every tool's arguments: frozen, and what is not declared is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


A = TypeVar("A", bound=Arguments)
B = TypeVar("B")
Handler: TypeAlias = Callable[[A, ToolContext, B], Awaitable[JsonValue]]
LookUp: TypeAlias = Callable[[ToolContext, B], Awaitable[JsonValue]]


@dataclass(frozen=True)
class Tool:
    """A tool that can be called: it has its back end."""

    offered: ToolContract
    arguments: type[Arguments]
    perform: Callable[[BaseModel, ToolContext], Awaitable[JsonValue]]
    ask: Callable[[ToolContext], Awaitable[JsonValue]] | None = None

    @property
    def name(self) -> str:
        return self.offered.name

    @property
    def effect(self) -> Effect:
        return self.offered.effect

    def contract(self) -> ToolContract:
        """What a profile pins."""
        return self.offered

    def validate(self, arguments: JsonObject) -> Arguments:
        """The arguments as the handler takes them; raises ``InvalidInput`` in one line that names field and reason."""
        given = normalised(self.offered.parameters, arguments)
        try:
            return self.arguments.model_validate(given)
        except ValidationError as error:
            raise InvalidInput("; ".join(_told(problem["loc"], problem["msg"]) for problem in error.errors())) from None

    async def execute(self, arguments: BaseModel, context: ToolContext) -> JsonValue:
        """Do it, within the context's deadline; raises ``ToolFailure``."""
        try:
            async with asyncio.timeout((context.deadline + GRACE).total_seconds()):
                return await self.perform(arguments, context)
        except TimeoutError:
            raise ToolFailure(
                f"{self.name} took longer than {context.deadline.total_seconds():g} s",
                fault=Fault.RETRYABLE,
                verdict=Verdict.FAILURE,
                reached=True,
                maybe_done=self.effect is not Effect.READ,
            ) from None

    async def look_up(self, context: ToolContext) -> JsonValue:
        """Ask the target by key: the result if it happened, None if it did not.

        Raises ``ToolFailure``, always with ``maybe_done``: a question without an answer leaves the doubt that it
        was asked for.
        """
        if self.ask is None:
            raise TypeError(f"{self.name!r} is {self.effect}, so its target cannot be asked")
        try:
            async with asyncio.timeout((context.deadline + GRACE).total_seconds()):
                return await self.ask(context)
        except TimeoutError:
            raise _still_in_doubt(f"{self.name} was asked and did not answer in time", Fault.RETRYABLE) from None
        except ToolFailure as failure:
            fault = Fault.PERMANENT if failure.fault is Fault.MODELS_OWN else failure.fault
            raise _still_in_doubt(str(failure), fault, failure) from failure


@dataclass(frozen=True)
class Design(Generic[B]):
    """A tool before it has its back end, which the settings' field ``backend`` is the address of."""

    offered: ToolContract
    arguments: type[Arguments]
    backend: str
    perform: Callable[[BaseModel, ToolContext, B], Awaitable[JsonValue]]
    ask: LookUp[B] | None = None

    def __post_init__(self) -> None:
        name, effect = self.offered.name, self.offered.effect
        if (self.ask is not None) != (effect is Effect.VERIFIABLE):
            raise ValueError(f"{name!r} is {effect}: a look-up belongs to verifiable tools, and each needs one")
        if effect is Effect.UNSAFE and self.offered.attempts != 1:
            raise ValueError(f"{name!r} is unsafe, so it has one attempt, not {self.offered.attempts}")
        if unknown := set(self.offered.identity or ()) - self.arguments.model_fields.keys():
            raise ValueError(f"{name!r} has no arguments {sorted(unknown)!r} to be told apart by")

    @property
    def name(self) -> str:
        return self.offered.name

    def connect(self, backend: B) -> Tool:
        """The tool, ready to be called."""
        ask = self.ask
        return Tool(
            offered=self.offered,
            arguments=self.arguments,
            perform=lambda arguments, context: self.perform(arguments, context, backend),
            ask=None if ask is None else lambda context: ask(context, backend),
        )


class Options(TypedDict, total=False):
    """What a tool says of itself, as ``ToolContract`` has it; ``backend`` is the settings' field with its address."""

    backend: Required[str]
    effect: Required[Effect]
    identity: tuple[str, ...]
    deadline: timedelta
    attempts: int
    breaker: BreakerPolicy
    fallback: str


@overload
def tool(**options: Unpack[Options]) -> Callable[[Handler[A, B]], Design[B]]: ...
@overload
def tool(*, look_up: LookUp[B], **options: Unpack[Options]) -> Callable[[Handler[A, B]], Design[B]]: ...
def tool(*, look_up: LookUp[B] | None = None, **options: Unpack[Options]) -> Callable[[Handler[A, B]], Design[B]]:
    """Make a tool of an async function, whose first parameter is annotated with its arguments.

    ``look_up`` asks the target of a ``verifiable`` tool by ``context.key``: the result, or None if nothing happened
    under it. Raises ``ValueError`` or ``TypeError`` for a tool that contradicts itself.
    """
    attempts = {"attempts": 1} if options["effect"] is Effect.UNSAFE else {}
    said = {key: value for key, value in options.items() if key != "backend"}

    def design(handler: Handler[A, B]) -> Design[B]:
        model: type[A] = _arguments_of(handler)
        name = getattr(handler, "__name__", "")
        description = " ".join((inspect.getdoc(handler) or "").split())
        if not description:
            raise ValueError(f"{name!r} has no docstring for the model to read")
        offered = ToolContract.model_validate(
            {**attempts, **said, "name": name, "description": description, "parameters": parameters_of(model)}
        )

        async def perform(arguments: BaseModel, context: ToolContext, backend: B) -> JsonValue:
            if not isinstance(arguments, model):
                raise TypeError(f"{name!r} takes {model.__name__}, not {type(arguments).__name__}")
            return await handler(arguments, context, backend)

        return Design(offered=offered, arguments=model, backend=options["backend"], perform=perform, ask=look_up)

    return design


def _arguments_of(handler: Handler[A, B]) -> type[A]:
    """The model that the handler's first parameter is annotated with."""
    model: type[A] = get_type_hints(handler)[next(iter(inspect.signature(handler).parameters))]
    return model


def _told(place: tuple[int | str, ...], reason: str) -> str:
    reason = " ".join(reason.removeprefix("Value error, ").split())
    return f"{'.'.join(str(step) for step in place)}: {reason}" if place else reason


def _still_in_doubt(message: str, fault: Fault, cause: ToolFailure | None = None) -> ToolFailure:
    return ToolFailure(
        message,
        fault=fault,
        verdict=cause.verdict if cause else Verdict.FAILURE,
        reached=cause.reached if cause else True,
        maybe_done=True,
        status=cause.status if cause else None,
        retry_after=cause.retry_after if cause else None,
    )
