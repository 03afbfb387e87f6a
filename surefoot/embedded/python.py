"""Children that are our own Python programs."""

import os
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import surefoot

ROOT = Path(surefoot.__file__).resolve().parent.parent
"""Where ``surefoot`` and ``worker.py`` are: the project, or the packages of an environment."""


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The given variables, and what lets a child import what we can, whatever its working directory is."""
    if Path(sysconfig.get_path("purelib")).resolve() == ROOT:
        return dict(given)
    return {**given, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [given.get("PYTHONPATH")])])}


def python(*words: str) -> list[str]:
    """A command for the running interpreter, whose output comes unbuffered."""
    return [sys.executable, "-u", *words]
