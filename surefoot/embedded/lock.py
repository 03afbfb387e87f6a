"""One embedded stack a state folder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from surefoot.errors import InvalidInput
from surefoot.settings import STACK_FILE

LOCK_FILE = "lock"


class AlreadyRunning(InvalidInput):
    """Another stack runs in the state folder; the message says which."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the state folder, which is made if need be. Raises ``AlreadyRunning`` if somebody else holds it, and
    ``InvalidInput`` where it cannot be.

    The lock ends with the process that holds it, however that ends.
    """
    with _opened(folder) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(_who(folder, lock.read().strip())) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _opened(folder: Path) -> TextIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / LOCK_FILE).open("a+")
    except OSError as error:
        raise InvalidInput(f"{str(folder)!r} cannot be the state folder ({error.strerror}); choose another") from None


def _who(folder: Path, pid: str) -> str:
    text = f"the embedded stack of {str(folder.absolute())!r} runs already, as process {pid or 'unknown'}"
    try:
        stack = json.loads((folder / STACK_FILE).read_text())
    except FileNotFoundError:
        return f"{text}; use it, or choose another folder with --state-dir"
    return f"{text} (Temporal at {stack['TEMPORAL_ADDRESS']}); use it, or choose another folder with --state-dir"
