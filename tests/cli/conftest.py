"""The command line as a process, and as a call where a process would show nothing more."""

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from temporalio.client import Client
from temporalio.worker import Worker

import worker
from surefoot.cli.app import main
from surefoot.client import SurefootClient
from surefoot.embedded.lending import without_settings
from surefoot.settings import Settings
from tests.support.workers import as_variables

STARTER = Path(__file__).resolve().parents[2] / "starter.py"


@dataclass(frozen=True)
class Left:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401  # JSON of many shapes
        return json.loads(self.out)

    def refuses(self, code: int, *words: str) -> None:
        """Assert that it said in one line what is wrong, and nothing else."""
        assert (self.code, self.out, self.err.count("\n")) == (code, "", 1), self
        assert self.err.startswith("error: ")
        assert [word for word in words if word not in self.err] == []


Typed = Callable[..., Awaitable[Left]]
Launch = Callable[..., Awaitable[Process]]


@contextmanager
def logging_kept() -> Iterator[None]:
    """A process of its own would not change ours."""
    root, configured = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**configured)


@pytest.fixture
def environment(settings: Settings, tmp_path: Path) -> dict[str, str]:
    return without_settings(os.environ) | as_variables(settings) | {"HOME": str(tmp_path)}


@pytest.fixture
def typed(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Typed:
    """Calls the command line in this process; further variables as keywords."""
    for name in [*os.environ]:
        if name not in environment:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # no .env of whoever runs the tests

    async def call(*arguments: str, **more: str) -> Left:
        for name, value in (environment | more).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        with logging_kept():
            code = await asyncio.to_thread(main, arguments)
        return Left(code, *capsys.readouterr())

    return call


@pytest.fixture
def launch(environment: dict[str, str], tmp_path: Path) -> Launch:
    """Starts starter.py as a process; further variables as keywords."""

    async def start(*arguments: str, **more: str) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            STARTER,
            *arguments,
            env=environment | more,
            cwd=tmp_path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return start


@pytest.fixture
def starter(launch: Launch) -> Typed:
    """Runs starter.py as a process to its end."""

    async def call(*arguments: str, stdin: bytes = b"", **more: str) -> Left:
        process = await launch(*arguments, **more)
        out, err = await process.communicate(stdin)
        assert process.returncode is not None
        return Left(process.returncode, out.decode(), err.decode())

    return call


@pytest.fixture
async def served(settings: Settings, temporal_client: Client) -> AsyncIterator[Worker]:
    """A worker with everything that worker.py wires."""
    async with worker.composed(settings, temporal_client) as composed, composed:
        yield composed


@pytest.fixture
def client(settings: Settings, temporal_client: Client) -> SurefootClient:
    return SurefootClient(temporal_client, task_queue=settings.task_queue)
