"""Starting a run and waiting for its answer."""

import asyncio
import secrets
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from surefoot.cli import preflight
from surefoot.cli.calling import call
from surefoot.cli.deeds import act
from surefoot.cli.exits import ExitCode
from surefoot.cli.output import Answer, complain, remark, words
from surefoot.cli.plain import count, fields, public
from surefoot.cli.waiting import Open, wait
from surefoot.cli.watching import question
from surefoot.client import Started, SurefootClient
from surefoot.contracts.base import JsonObject
from surefoot.contracts.conversation import MAX_MESSAGE
from surefoot.contracts.runs import MAX_KEY_LENGTH, IdempotencyStatus, RunRequest, RunResult
from surefoot.errors import InvalidInput, Unreachable
from surefoot.idempotency import workflow_id
from surefoot.settings import Settings


@dataclass(frozen=True)
class Asked:
    """What was typed; what is missing is made up."""

    prompt: str
    profile: str
    session: str | None
    key: str | None
    tenant: str
    user: str | None

    def request(self) -> RunRequest:
        """The same key without a session is the same request each time. Raises ``ValidationError``."""
        key = f"key-{secrets.token_hex(8)}" if self.key is None else self.key
        return RunRequest(
            prompt=_standard_input() if self.prompt == "-" else self.prompt,
            profile=self.profile,
            session=key[:MAX_KEY_LENGTH] if self.session is None else self.session,
            key=key,
            tenant=self.tenant,
            user=self.user,
        )


@dataclass(frozen=True)
class Manner:
    """How to go about it."""

    follow: bool = False
    detach: bool = False
    stop_at_approval: bool = False
    check: bool = True
    as_json: bool = False


def _standard_input() -> str:
    """All of it, but not more than a prompt may have."""
    read = sys.stdin.buffer.read(MAX_MESSAGE + 1)
    if len(read) > MAX_MESSAGE:
        raise InvalidInput(f"prompt: the prompt is larger than a message may be, {MAX_MESSAGE} bytes; shorten it")
    try:
        return read.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the prompt on standard input is not UTF-8 ({error.reason} at {error.start})") from None


async def run(settings: Settings, asked: Asked, manner: Manner) -> Answer:
    request = asked.request()
    run = workflow_id(request.tenant, request.key)
    if manner.check:
        await preflight.check(settings, request)
    client = await call(settings)
    with _left_at_start(run, manner):
        started = await client.start(request)
    return await _begun(client, settings, started, manner)


async def retry(settings: Settings, run: str, by: str, reason: str, manner: Manner) -> Answer:
    said = act(by, reason)
    client = await call(settings)
    with _left_at_start(run, manner):
        started = await client.retry(run, by=said.by, reason=said.reason)
    return await _begun(client, settings, started, manner)


async def _begun(client: SurefootClient, settings: Settings, started: Started, manner: Manner) -> Answer:
    if started.result:
        return _answered(started.run, started.result)
    if manner.detach:
        return _detached(started)
    return await _waited(client, settings, started.run, manner, started.idempotency_status)


async def result(settings: Settings, run: str, manner: Manner) -> Answer:
    client = await call(settings)
    return await _waited(client, settings, run, manner, None)


async def _waited(
    client: SurefootClient, settings: Settings, run: str, manner: Manner, status: IdempotencyStatus | None
) -> Answer:
    goes_on = f"the run goes on: `./starter.py result {run}` waits for it, `./starter.py cancel {run}` stops it"
    with _left_by_interrupt(f"interrupted; {goes_on}", manner):
        try:
            found = await wait(client, settings, run, follow=manner.follow, stop_at_approval=manner.stop_at_approval)
        except Unreachable as error:
            raise Unreachable(f"{error}; {goes_on}") from error
    if isinstance(found, RunResult):
        return _answered(run, found.model_copy(update={"idempotency_status": status}) if status else found)
    return _waiting_for_people(found)


def _left_at_start(run: str, manner: Manner) -> AbstractContextManager[None]:
    said = f"interrupted while starting; `./starter.py status {run}` tells whether it runs"
    return _left_by_interrupt(said, manner)


@contextmanager
def _left_by_interrupt(message: str, manner: Manner) -> Iterator[None]:
    """Ctrl-C cancels what is awaited here; the run itself is not touched."""
    try:
        yield
    except asyncio.CancelledError:
        complain(message, "Interrupted", ExitCode.INTERRUPTED, as_json=manner.as_json)
        raise


def _answered(run: str, result: RunResult) -> Answer:
    usage = result.usage
    notes = [
        run,
        result.idempotency_status.value,
        count(result.turns, "turn"),
        f"{usage.input_tokens} + {usage.output_tokens} tokens",
        f"${usage.cost}",
        *(["cheaper model, as the budget ran low"] if result.downgraded else []),
        *(["fallback model"] if result.fell_back else []),
        *(f"incident {incident}" for incident in result.incidents),
    ]
    document: JsonObject = {"run": run, **fields(result)}
    return Answer(document, [words(result.text)], [remark(" · ".join(notes))])


def _detached(started: Started) -> Answer:
    document: JsonObject = {"run": started.run, "idempotencyStatus": started.idempotency_status.value}
    come_back = remark(f"{started.idempotency_status}; `./starter.py result {started.run}` waits for its answer")
    return Answer(document, [words(started.run)], [come_back])


def _waiting_for_people(found: Open) -> Answer:
    said = [question(found.run, one) for one in found.requests]
    document = {"run": found.run, "waitingFor": "approval", "approvals": public(found.requests)}
    return Answer(document, [], said, ExitCode.APPROVAL)
