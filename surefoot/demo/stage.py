"""What a scene needs: the stack, a client, the simulator's other side, and a voice that only tells what is so."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal, TypeVar

from rich.text import Text

from surefoot.client import SurefootClient
from surefoot.client.links import link
from surefoot.contracts.runs import RunRequest
from surefoot.demo.narrator import Narrator
from surefoot.embedded.lending import WORLD
from surefoot.embedded.processes import Child
from surefoot.embedded.stack import Stack
from surefoot.rehearsal import SHORT_TIMES, Broken, connect, until
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient

T = TypeVar("T")


class Stage:
    """One performance. ``broken`` once a step has failed, ``finished`` once all have been played."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.nonce = uuid.uuid4().hex[:6]
        self.broken = False
        self.finished = False
        self._voice = Narrator()
        self._began = time.monotonic()

    async def open(self) -> None:
        """Start two workers, and connect to the stack's servers."""
        await asyncio.gather(*(self.start_worker() for _ in range(2)))
        self.settings: Settings = self.stack.settings(**SHORT_TIMES)
        self.temporal = await connect(self.settings)
        self.surefoot = SurefootClient(self.temporal, task_queue=self.settings.task_queue)
        if self.stack.simulator_url is None:
            raise Broken("the stack has no simulator")
        self.shop = SimulatorClient(self.stack.simulator_url, WORLD)

    async def close(self) -> None:
        """End the connection to the simulator, if there is one."""
        if hasattr(self, "shop"):
            await self.shop.aclose()

    async def start_worker(self) -> Child:
        return await self.stack.start_worker(**SHORT_TIMES)

    def request(self, prompt: str, profile: str, key: str, session: str = "") -> RunRequest:
        """A request whose key and session no earlier demo has used."""
        return RunRequest(
            prompt=prompt, profile=profile, key=f"{key}-{self.nonce}", session=f"{session or key}-{self.nonce}"
        )

    # Telling.

    def scene(self, number: int, title: str) -> None:
        self._voice.tell(Text(f"\n{number}. {title}", style="bold"))

    def say(self, text: str) -> None:
        self._voice.tell(Text(f"   {text}"))

    def quote(self, text: str) -> None:
        """Words of a model, or lines of a runbook."""
        self._voice.tell(Text("\n".join(f"   │ {line}" for line in text.splitlines()), style="dim"))

    def show(self, workflow_id: str) -> None:
        """Where to watch a run in the Temporal UI."""
        page = link(self.settings, self.settings.temporal_namespace, workflow_id)
        if page:
            self._voice.tell(Text(f"   {page}", style="dim cyan"))

    def hold(self, so: bool, what: str, found: object = None) -> None:
        """Tell something that has been checked; end the demo if it is not so."""
        if not so:
            raise Broken(f"not so: {what}" + (f" (found {found!r})" if found is not None else ""))
        self._voice.tell(Text.assemble("   ", ("✓ ", "green"), what))

    def fail(self, error: BaseException) -> None:
        """Say what went wrong, with what the workers last said."""
        self.broken = True
        self._voice.tell(Text.assemble("   ", ("✗ ", "red"), str(error)))
        for worker in self.stack.workers:
            self.quote(worker.last_lines())

    async def told(self) -> None:
        """Wait until everything has been told."""
        await self._voice.told()

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=round(time.monotonic() - self._began))

    # Waiting.

    async def until(self, ask: Callable[[], Awaitable[T | Literal[False]]], what: str) -> T:
        """Ask until the answer is truthy; a step that takes longer than 30 s has failed."""
        return await until(ask, what)
