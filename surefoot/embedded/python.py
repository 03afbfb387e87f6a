"""Children that are our own Python programs."""

import os
import shlex
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import surefoot
from surefoot.settings import Settings

DEFAULT_FOLDER: Path = Settings.model_fields["state_dir"].default
ROOT = Path(surefoot.__file__).resolve().parent.parent
"""Where ``surefoot`` and ``worker.py`` are: the project, or the packages of an environment."""


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The given variables, and what lets a child import what we can, whatever its working directory is."""
    if Path(sysconfig.get_path("purelib")).resolve() == ROOT:
        return dict(given)
    return {**given, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [given.get("PYTHONPATH")])])}


def starter(folder: Path) -> list[str]:
    """What to type before a command of ``starter.py`` that is to find the stack of a state folder."""
    steps = [f"cd {shlex.quote(str(ROOT))}"]
    if folder != ROOT / DEFAULT_FOLDER:
        steps.append(f"export SUREFOOT_STATE_DIR={shlex.quote(str(folder))}")
    return steps


def python(*words: str) -> list[str]:
    """A command for the running interpreter, whose output comes unbuffered."""
    return [sys.executable, "-u", *words]
