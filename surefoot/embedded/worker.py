"""A worker as a child process."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from surefoot.embedded.processes import Child
from surefoot.embedded.python import ROOT, environment, python

START = timedelta(seconds=60)
READY = "ready"
"""The line that ``worker.py`` prints when it polls."""


async def start_worker(name: str, *, log: Path, variables: Mapping[str, str]) -> Child:
    """Start ``worker.py`` with these variables as its whole environment, and wait until it polls."""
    child = await Child.start(name, python(str(ROOT / "worker.py")), log=log, environment=environment(variables))
    await child.ready(lambda: _polls(child), within=START)
    return child


async def _polls(child: Child) -> bool:
    return child.logged(READY)
