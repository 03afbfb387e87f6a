"""A folder in which runbooks and post-incident records are kept as files."""

import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from surefoot.idempotency import digest

_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
LONGEST = 80
"""Characters of an incident's id that its files' names show."""


def file_name(incident_id: str, what: str) -> str:
    """A name that no other incident has, safe in every file system and shell."""
    shown = _UNSAFE.sub("_", incident_id)[:LONGEST].strip("._")
    return f"{shown}-{digest(incident_id)[:8]}.{what}.md"


class Shelf:
    """Files are written whole or not at all: a reader never sees half of one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, incident_id: str, texts: Mapping[str, str]) -> None:
        """Write a file for each of the texts, by what it is. Raises ``OSError``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for what, text in texts.items():
            self._replace(self._folder / file_name(incident_id, what), text)

    def _replace(self, file: Path, text: str) -> None:
        number, name = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(number, "w", encoding="utf-8", errors="replace") as part:
                part.write(text)
            os.chmod(name, 0o644)
            os.replace(name, file)
        except OSError:
            with suppress(FileNotFoundError):
                os.unlink(name)
            raise
