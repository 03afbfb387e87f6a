"""Temporal's dev server as a child process, tuned for short runs."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from surefoot import attributes
from surefoot.embedded import binaries
from surefoot.embedded.lending import without_settings
from surefoot.embedded.ports import HOST, free_port, holds
from surefoot.embedded.processes import Child
from surefoot.embedded.retries import on_free_ports

START = timedelta(seconds=30)
NAMESPACE = "default"
RETENTION = timedelta(days=30)
"""How long a completed idempotency key is remembered (design section 4)."""
DYNAMIC_CONFIG = {
    # One shard reads its queue 20 times a second by default: after a burst each dispatch would cost 50 ms.
    "history.transferProcessorMaxPollRPS": "5000",
    "frontend.enableServerVersionCheck": "false",
}


@dataclass(frozen=True)
class Temporal:
    """A running server."""

    child: Child
    address: str
    ui: str | None


async def start_temporal(*, log: Path, database: Path | None, ui: bool = True) -> Temporal:
    """Start a server on free ports, with what the SQLite database kept; in memory without one."""
    return await on_free_ports(lambda: _start(log, database, ui))


async def _start(log: Path, database: Path | None, ui: bool) -> Temporal:
    port, ui_port = free_port(), free_port() if ui else None
    command: list[str | Path] = [binaries.temporal(), *_options(port, ui_port, database)]
    child = await Child.start("Temporal", command, log=log, environment=without_settings(os.environ))
    await child.ready(lambda: _listens(child, port, ui_port), within=START)
    await child.ready(lambda: _serves(f"{HOST}:{port}"), within=START)
    return Temporal(child, f"{HOST}:{port}", f"http://{HOST}:{ui_port}" if ui_port else None)


def _options(port: int, ui_port: int | None, database: Path | None) -> list[str]:
    options = ["server", "start-dev", "--ip", HOST, "--port", str(port), "--log-level", "warn", "--disable-config-file"]
    options += ["--headless"] if ui_port is None else ["--ui-port", str(ui_port), "--ui-disable-news-fetch"]
    for key in attributes.ALL:
        options += ["--search-attribute", f"{key.name}=Keyword"]
    for name, value in DYNAMIC_CONFIG.items():
        options += ["--dynamic-config-value", f"{name}={value}"]
    if database is not None:
        database.parent.mkdir(parents=True, exist_ok=True)
        options += ["--db-filename", str(database.absolute())]
    return options


async def _listens(child: Child, *ports: int | None) -> bool:
    return all(holds(child.pid, port) for port in ports if port is not None)


async def _serves(address: str) -> bool:
    """Whether the namespace is there; sets its retention."""
    config = NamespaceConfig()
    config.workflow_execution_retention_ttl.FromTimedelta(RETENTION)
    try:
        client = await Client.connect(address)
        await client.workflow_service.update_namespace(UpdateNamespaceRequest(namespace=NAMESPACE, config=config))
    except (RPCError, RuntimeError):  # the client raises RuntimeError where it cannot connect
        return False
    return True
