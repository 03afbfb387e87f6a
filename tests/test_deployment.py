"""What the compose file promises, held against the settings, the code and real servers."""

import asyncio
import json
import os
import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from surefoot import attributes
from surefoot.contracts.base import parse_duration
from surefoot.embedded import binaries
from surefoot.embedded.ports import HOST, free_port, holds
from surefoot.embedded.processes import Child
from surefoot.embedded.temporal import DYNAMIC_CONFIG, RETENTION
from surefoot.profiles import Profiles
from surefoot.reliability.health import look
from surefoot.settings import Settings, variables
from surefoot.tools.registry import ToolRegistry
from tests.support.waiting import until
from workflows import policies

ROOT = Path(__file__).resolve().parents[1]
TEMPORAL = ROOT / "deploy" / "temporal"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECRET = re.compile(r"PASSWORD|PWD|SECRET|_KEY$|AUTH$")
AWS_SDKS = {"AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
"""Read by the AWS SDK itself."""
NOT_A_SERVERS = {
    "SUREFOOT_STATE_DIR",
    "SUREFOOT_AGENTS_DIR",
    "SUREFOOT_HEALTH_HOST",
    "SUREFOOT_ONCALL",
    "SUREFOOT_RUNBOOK_DIR",
    "SUREFOOT_RECORDINGS",
    "SUREFOOT_TEST_KILL_AT",
    "TEMPORAL_ADDRESS",
}
"""Settings that need not be given to the worker from outside: its files, and what stands in the compose file."""


def waited_for(condition: str) -> set[str]:
    needs = [service.get("depends_on", {}) for service in SERVICES.values()]
    return {name for need in needs for name, how in need.items() if how["condition"] == condition}


JOBS = waited_for("service_completed_successfully")


def test_every_image_is_pinned_to_a_release() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert [name for name, image in images.items() if not re.fullmatch(r"[\w./-]+:\d+\.\d+\.?[\w.-]*", image)] == []
    assert images["temporal"].partition(":")[2] == images["temporal-schema"].partition(":")[2]


def test_servers_come_back_and_jobs_end() -> None:
    assert {"temporal-schema", "temporal-setup"} == JOBS
    for name, service in SERVICES.items():
        assert service["restart"] == ("on-failure:5" if name in JOBS else "unless-stopped"), name


def test_nobody_starts_before_what_they_need_can_serve() -> None:
    assert waited_for("service_started") == set()
    assert waited_for("service_healthy") == {"postgres", "temporal", "redis"}
    for name in waited_for("service_healthy"):
        assert {"test", "interval", "timeout", "retries"} <= SERVICES[name]["healthcheck"].keys()
    assert SERVICES["worker"]["depends_on"].keys() == {"temporal-setup", "redis"}


def test_what_must_outlive_a_container_is_on_a_volume() -> None:
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert (
        {name for name, *_ in mounts if not name.startswith(".")} == COMPOSE["volumes"].keys() == {"postgres", "redis"}
    )
    for source, _, *mode in mounts:
        if source.startswith("."):
            assert (ROOT / source).is_dir()
            assert mode == ["ro"]


def test_only_this_machine_reaches_the_ports() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_stands_in_the_file_and_none_has_a_default() -> None:
    given = [pair for service in SERVICES.values() for pair in service.get("environment", {}).items()]
    for name, value in given:
        if value is not None and SECRET.search(name) and name != "TEMPORAL_ALLOW_NO_AUTH":
            assert re.fullmatch(r"\$\{\w+(:\?[^}]+|:-)\}", value), name
    assert "${REDIS_PASSWORD:?" in SERVICES["worker"]["environment"]["REDIS_URL"]


def test_the_worker_is_given_every_setting_and_nothing_else() -> None:
    environment: dict[str, str | None] = SERVICES["worker"]["environment"]
    assert {name for name, value in environment.items() if value is None} == AWS_SDKS
    given = {name: value for name, value in environment.items() if value is not None}
    assert given.keys() - variables().keys() == set()
    assert variables().keys() - given.keys() == NOT_A_SERVERS - {"TEMPORAL_ADDRESS"}
    for name, value in given.items():
        if name not in ("REDIS_URL", "TEMPORAL_ADDRESS", "SUREFOOT_TEMPORAL_UI", "SUREFOOT_HEALTH_PORT"):
            assert value.startswith(f"${{{name}:-"), f"{name} cannot be set from outside"


async def test_the_worker_has_the_time_that_it_takes_to_end(settings: Settings) -> None:
    tools = ToolRegistry.from_settings(settings)
    shipped = Profiles(None, tools)
    longest = max(shipped.load(name).limits.model_deadline for name in shipped.names())
    await tools.aclose()
    grace = parse_duration(SERVICES["worker"]["stop_grace_period"])
    assert isinstance(grace, timedelta)
    assert grace > longest + policies.MODEL_OVERHEAD


async def test_redis_evicts_nothing_and_keeps_what_it_is_told(tmp_path: Path, settings: Settings) -> None:
    words: list[str] = [
        re.sub(r"\$\{REDIS_PASSWORD:\?.*\}", "open-sesame", word) for word in SERVICES["redis"]["command"]
    ]
    port = free_port()
    command: list[str | Path] = [
        binaries.redis_server(),
        *words[1:],
        "--bind",
        HOST,
        "--port",
        str(port),
        "--dir",
        str(tmp_path),
    ]
    redis = await Child.start("Redis", command, log=tmp_path / "log")
    try:
        await until(lambda: _listens(redis, port))
        address = SecretStr(f"redis://:open-sesame@{HOST}:{port}/0")
        health = await look(settings.model_copy(update={"redis_url": address}))
    finally:
        await redis.stop()
    assert (health.eviction, health.append_only) == ("noeviction", True)
    assert ("--appendfsync", "everysec") in list(pairwise(words))


async def _listens(child: Child, port: int) -> bool:
    return holds(child.pid, port)


async def test_the_set_up_job_makes_the_namespace_and_can_be_repeated(
    temporal_client: Client, temporal_address: str, unique: str
) -> None:
    namespace = f"deployed-{unique}"
    for _ in range(2):
        await script("temporal-setup", TEMPORAL_ADDRESS=temporal_address, TEMPORAL_NAMESPACE=namespace)
    described = await temporal_client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION == timedelta(days=30)
    assert await until(lambda: known_attributes(temporal_client, namespace)) == {key.name for key in attributes.ALL}


async def known_attributes(client: Client, namespace: str) -> set[str]:
    """Those of the namespace's own; the server needs a moment to know of them."""
    asked = ListSearchAttributesRequest(namespace=namespace)
    return set((await client.operator_service.list_search_attributes(asked)).custom_attributes)


async def test_the_schema_job_brings_both_databases_up_to_date(tmp_path: Path) -> None:
    tool = tmp_path / "temporal-sql-tool"  # tells what it is asked to do; the real one needs a PostgreSQL
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$*"\n')
    tool.chmod(0o755)
    told = await script("temporal-schema", tmp_path, POSTGRES_SEEDS="db", POSTGRES_USER="temporal", SQL_PASSWORD="x")
    common = "--plugin postgres12 --ep db --port 5432 --user temporal --db"
    assert told.splitlines() == [
        f"{common} {database} {step}"
        for database, folder in (("temporal", "temporal"), ("temporal_visibility", "visibility"))
        for step in (
            "create",
            "setup-schema -v 0.0",
            f"update-schema -d /etc/temporal/schema/postgresql/v12/{folder}/versioned",
        )
    ]


async def script(job: str, *folders: Path, **given: str) -> str:
    """Run a job's script as the compose file says, with what the compose file gives it; returns what it printed."""
    service = SERVICES[job]
    assert service["environment"].keys() == given.keys()
    shell, path = service["entrypoint"]
    mounted = TEMPORAL / path.removeprefix("/deploy/")
    programs = os.pathsep.join(map(str, [*folders, binaries.temporal().parent, "/usr/bin", "/bin"]))
    process = await asyncio.create_subprocess_exec(
        shell,
        str(mounted),
        env={**given, "PATH": programs, "HOME": str(ROOT / "nowhere")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    return said.decode()


def test_the_server_is_tuned_as_the_embedded_one_is() -> None:
    mounted = SERVICES["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"]
    written = yaml.safe_load((TEMPORAL / "dynamicconfig" / Path(mounted).name).read_text())
    assert {key: json.dumps(value) for key, [only] in written.items() for value in only.values()} == DYNAMIC_CONFIG
