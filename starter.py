#!/usr/bin/env python3
"""The command line: run agents and look after them. `starter.py --help` tells more."""

import os
import sys
from contextlib import suppress

from surefoot.cli.app import main as run


def main() -> None:
    """Run the command and leave with its exit code."""
    code = run()
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):  # whoever read this has gone
            stream.flush()
    os._exit(code)  # a Temporal client can abort at interpreter exit: temporalio/sdk-python#300


if __name__ == "__main__":
    main()
