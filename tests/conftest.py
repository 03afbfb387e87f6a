"""One stack a session, for all test processes; a task queue, a Redis prefix and a world a test."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import uvloop
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from surefoot.embedded import binaries
from surefoot.embedded.binaries import MissingProgram
from surefoot.embedded.lending import NO_TEMPORAL_CONFIG
from surefoot.embedded.redis import Redis, start_redis
from surefoot.settings import Settings, load, variables
from surefoot.simulator.client import SimulatorClient
from tests.support.s3 import Shelf, found_by_the_sdk
from tests.support.servers import SessionServers, address_of

SERVERS = pytest.StashKey[SessionServers]()
RECORDINGS = "SUREFOOT_RECORDINGS"


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop of workers, which tells of broken connections in words of its own."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_configure(config: pytest.Config) -> None:
    """Serve the session's servers from the process that the others descend from."""
    for name in [name for name in os.environ if name.startswith(("SUREFOOT_", "TEMPORAL_")) or name in variables()]:
        if name != RECORDINGS:
            del os.environ[name]  # the settings of whoever runs the tests are not the tests'
    os.environ.update(NO_TEMPORAL_CONFIG)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _refuse_without_programs()
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as after Ctrl-C, with the other processes
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what runs in its background ignore it
        config.stash[SERVERS] = SessionServers()
        config.stash[SERVERS].start()
    else:
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)  # the processes that tests start run at full speed, unmeasured
    # Tests set variables while Temporal's threads read them, and C's setenv moves what C's getenv reads.
    os.environ = os.environ.copy()  # type: ignore[assignment]  # noqa: B003  # a dict, which C does not know


def _refuse_without_programs() -> None:
    try:
        binaries.temporal()
        binaries.redis_server()
    except MissingProgram as missing:
        pytest.exit(str(missing), returncode=4)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End them, also after Ctrl-C."""
    if servers := config.stash.get(SERVERS, None):
        servers.stop()


@pytest.fixture(scope="session")
def redis_url() -> str:
    return address_of("redis")


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    """A server of the test's own, that it may stop or wipe."""
    server = await start_redis(log=tmp_path / "redis.log", folder=None)
    yield server
    server.child.kill()


@pytest.fixture(scope="session")
def temporal_address() -> str:
    return address_of("temporal")


@pytest.fixture(scope="session")
async def temporal_client(temporal_address: str) -> Client:
    return await Client.connect(temporal_address, data_converter=pydantic_data_converter)


@pytest.fixture
def unique() -> str:
    """A word that no other test has."""
    return uuid.uuid4().hex[:12]


@pytest.fixture
def prefix(unique: str) -> str:
    """Begins the test's keys in Redis."""
    return f"test-{unique}"


@pytest.fixture
def task_queue(unique: str) -> str:
    return f"queue-{unique}"


@pytest.fixture(scope="session")
def simulator_url() -> str:
    return address_of("simulator")


@pytest.fixture
async def simulator(simulator_url: str, unique: str) -> AsyncIterator[SimulatorClient]:
    """A world of its own."""
    async with SimulatorClient(simulator_url, unique) as client:
        yield client


@pytest.fixture
def settings(
    redis_url: str, temporal_address: str, simulator: SimulatorClient, prefix: str, task_queue: str, tmp_path: Path
) -> Settings:
    """Short times, and addresses of the session's servers and of the test's world."""
    return load(
        SUREFOOT_ENV="test",
        SUREFOOT_STATE_DIR=tmp_path / "state",
        SUREFOOT_TASK_QUEUE=task_queue,
        SUREFOOT_KEY_PREFIX=prefix,
        SUREFOOT_HEARTBEAT=timedelta(seconds=2),
        SUREFOOT_STICKY=timedelta(seconds=1),
        SUREFOOT_SANDBOX=True,
        REDIS_URL=redis_url,
        TEMPORAL_ADDRESS=temporal_address,
        **simulator.variables,
        _env_file=None,
    )


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, unique: str) -> Shelf:
    """A bucket of its own, which the AWS SDK finds."""
    for name, value in found_by_the_sdk(address_of("s3")).items():
        monkeypatch.setenv(name, value)
    return Shelf(f"payloads-{unique}")
