#!/usr/bin/env python3
"""The command line: run agents and look after them. `./starter.py --help` tells more."""

import os
import sys
from contextlib import suppress
from pathlib import Path

OWN = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
"""The interpreter that `make` sets up."""


def main() -> None:
    """Run the command and leave with its exit code."""
    if sys.prefix == sys.base_prefix and OWN.exists():  # started outside any environment, so use the project's own
        os.execv(OWN, [str(OWN), *sys.argv])
    try:
        from surefoot.cli.app import main as run
    except ModuleNotFoundError as missing:
        print(f"error: {missing} for {sys.executable}; run `make up` once, which installs it", file=sys.stderr)
        sys.exit(2)
    code = run()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # whoever read this has gone, and `run` has said so
            stream.flush()
    os._exit(code)  # a Temporal client can abort at interpreter exit: temporalio/sdk-python#300


if __name__ == "__main__":
    main()
