"""Where a drill is played: a worker and a store of its crew, a world of the simulator, and a person's command line."""

import asyncio
import os
import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from surefoot.client import SurefootClient
from surefoot.contracts.incidents import Incident
from surefoot.contracts.runs import RunRequest, RunResult
from surefoot.embedded.python import ROOT, environment, python
from surefoot.embedded.redis import Redis
from surefoot.incidents.anatomy import parts
from surefoot.rehearsal import PATIENCE, Broken, until
from surefoot.reliability.connections import connected
from surefoot.simulator.client import SimulatorClient

PERSON = "drill"
"""Who acknowledges, and types commands."""
STARTER = "./starter.py"


@dataclass(frozen=True)
class Field:
    """What one drill works with. ``typed`` are the commands that a person had to type."""

    surefoot: SurefootClient
    shop: SimulatorClient
    redis: Redis
    variables: Mapping[str, str]
    """Of the crew's worker, and of commands."""
    name: str
    """Begins the keys of the drill's runs."""
    patience: timedelta = PATIENCE
    typed: list[str] = field(default_factory=list)

    async def start(self, profile: str, prompt: str, number: int = 0) -> str:
        """Start a run; runs of the same number are the same."""
        key = f"{self.name}-{number}"
        request = RunRequest(prompt=prompt, profile=profile, key=key, session=self.name)
        return (await self.surefoot.start(request)).run

    async def ask(self, profile: str, prompt: str, number: int = 0) -> RunResult:
        """The answer of such a run."""
        return await self.surefoot.result(await self.start(profile, prompt, number))

    async def first_call(self, target: str, operation: str | None = None) -> datetime:
        """When the first request came to this target that met a fault, or to this model."""

        async def came() -> list[datetime]:
            calls = await self.shop.calls(target)
            return [call.at for call in calls if (call.operation == operation if operation else call.fault)]

        return (await until(came, f"a call of {operation or target}", self.patience))[0]

    async def type(self, incident: Incident, *words: str) -> None:
        """Let a shell run the command of the incident's runbook in which these words stand, as it is printed there."""
        command = _printed(incident, words)
        self.typed.append(words[0])
        shell = await asyncio.create_subprocess_shell(
            command.replace(STARTER, shlex.join(python(str(ROOT / "starter.py"))), 1),
            cwd=ROOT,
            env=environment({**self.variables, "USER": PERSON}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said, _ = await shell.communicate()
        finally:
            if shell.returncode is None:
                os.killpg(shell.pid, signal.SIGKILL)
        if shell.returncode:
            raise Broken(f"{command!r} left with code {shell.returncode}: {said.decode(errors='replace').strip()}")

    async def wipe(self) -> None:
        """The store loses all that it holds."""
        connections, _ = connected(self.redis.url, timedelta(seconds=2))
        try:
            await connections.batch([("FLUSHALL",)])
        finally:
            await connections.close()

    def freeze(self) -> None:
        """The store answers no more."""
        os.kill(self.redis.child.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.redis.child.pid, signal.SIGCONT)


def _printed(incident: Incident, words: tuple[str, ...]) -> str:
    sections = parts(incident.runbook.markdown if incident.runbook else "").values()
    for command in (one for section in sections for one in section.commands):
        if command.startswith(f"{STARTER} {words[0]} ") and all(word in command for word in words):
            return command
    raise Broken(f"the runbook of {incident.id!r} has no command {' '.join(words)!r}")
