"""How a run of each kind is started and waited for, by the one process that starts them all."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import TerminatedError

from benchmarks.workloads import ANSWER, TOOL, named
from surefoot.client import SurefootClient
from surefoot.contracts.runs import RunRequest
from surefoot.idempotency import workflow_id

_NUMBERS = itertools.count(1)


class Starter(Protocol):
    """Starts one run of a workload and waits for its answer; returns the workflow's id."""

    @property
    def client(self) -> Client: ...

    async def __call__(self, workload: str) -> str: ...


class WrongAnswer(Exception):
    """A run ended with something else than its workload's answer, so that its time says nothing."""


class CutShort(Exception):
    """Temporal ended the run of this workflow id, as it does where a history is too large."""

    def __init__(self, id: str, why: str) -> None:
        super().__init__(f"{id!r} was ended: {why}")
        self.id, self.why = id, why


@dataclass(frozen=True)
class Bare:
    """By the workflow's type alone, as Temporal's own samples start theirs."""

    client: Client
    queue: str

    async def __call__(self, workload: str) -> str:
        id = f"{self.queue}-{next(_NUMBERS)}"
        try:
            answer = await self.client.execute_workflow(
                "Bench", workload, id=id, task_queue=self.queue, result_type=str
            )
        except WorkflowFailureError as error:
            if isinstance(error.cause, TerminatedError):
                raise CutShort(id, str(error.cause)) from error
            raise
        return _checked(id, answer, ANSWER)


@dataclass(frozen=True)
class Ours:
    """As programs start runs: through Surefoot's client, each in a session of its own."""

    client: Client
    queue: str
    profile: str = "bench"
    prompt: Callable[[str], str] = str
    """The words that make the profile's model do a workload."""

    async def __call__(self, workload: str) -> str:
        key = f"{self.queue}-{next(_NUMBERS)}"
        request = RunRequest(prompt=self.prompt(workload), profile=self.profile, key=key, session=key)
        result = await SurefootClient(self.client, task_queue=self.queue).run(request)
        return _checked(workflow_id(request.tenant, key), result.text, ANSWER)


def directed(workload: str) -> str:
    """A prompt that makes the simulator's model do a workload."""
    found = named(workload)
    asked = [
        [f'{TOOL} {{"page": {page}, "size": {found.size}}}' for page in found.pages(turn)]
        for turn in range(found.turns - 1)
    ]
    return " ".join([*(f"[[parallel {' '.join(calls)}]]" for calls in asked), f"[[say {ANSWER}]]"])


def _checked(id: str, answer: str, expected: str) -> str:
    if answer != expected:
        raise WrongAnswer(f"{id!r} answered {answer!r} instead of {expected!r}")
    return id
