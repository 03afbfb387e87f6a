"""Runs what a command does, and turns every failure into one line and an exit code."""

import asyncio
from collections.abc import Awaitable, Callable

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from surefoot import logs
from surefoot.cli.calling import call
from surefoot.cli.exits import exit_code
from surefoot.cli.output import Answer, complain, tell
from surefoot.cli.plain import public
from surefoot.client import SurefootClient
from surefoot.errors import InvalidInput, RunFailed, SurefootError
from surefoot.settings import Settings, load

Act = Callable[[SurefootClient], Awaitable[Answer]]


def perform(work: Callable[[Settings], Awaitable[Answer]], *, as_json: bool) -> None:
    """Do the work with the settings, tell its answer and leave with its code."""

    async def whole() -> Answer:
        settings = load()
        logs.configure(settings)
        return await work(settings)

    attempt(whole, as_json=as_json)


def connected(act: Act, *, as_json: bool) -> None:
    """The same for what needs Temporal alone."""

    async def work(settings: Settings) -> Answer:
        return await act(await call(settings))

    perform(work, as_json=as_json)


def attempt(work: Callable[[], Awaitable[Answer]], *, as_json: bool) -> None:
    """The same for what cares for its settings itself."""
    try:
        with asyncio.Runner(loop_factory=_StaysOpen) as runner:
            answer = runner.run(_awaited(work))
    except SurefootError as error:
        raise typer.Exit(report(error, as_json=as_json)) from error
    tell(answer, as_json=as_json)
    if answer.code:
        raise typer.Exit(answer.code)


class _StaysOpen(asyncio.SelectorEventLoop):
    """A loop to which a call of Temporal's that was given up may still report.

    Its thread asks whether the call was cancelled, and reports it as two steps; if the loop is closed between them,
    it writes a traceback to the terminal. The process ends soon after.
    """

    def close(self) -> None:
        pass


async def _awaited(work: Callable[[], Awaitable[Answer]]) -> Answer:
    try:
        return await work()
    except ValidationError as error:
        raise unusable(error) from None


def unusable(error: ValidationError) -> InvalidInput:
    """What was wrong with an argument, by its name."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    said = [f"{'.'.join(str(part) for part in problem['loc'])}: {_wrong(problem)}" for problem in problems]
    return InvalidInput("; ".join(said))


def _wrong(problem: ErrorDetails) -> str:
    return "is empty" if problem["type"] == "string_too_short" else problem["msg"].removeprefix("Value error, ")


def report(error: SurefootError, *, as_json: bool) -> int:
    """Complain of the error; returns the exit code."""
    code = exit_code(error)
    kind, more, message = type(error).__name__, None, str(error)
    if isinstance(error, RunFailed):
        kind = error.type
        more = public(error.failure) if error.failure else None
        message = f"the run failed: {message} ({error.type})"
    complain(message, kind, code, as_json=as_json, more=more)
    return code
