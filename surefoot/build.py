"""Which code a worker runs, in the few letters that each event of a history can carry."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("activities", "surefoot", "workflows")
KINDS = frozenset({".lua", ".py", ".toml"})
DIGITS = 8


@cache
def build_id() -> str:
    """A digest of Surefoot's files and of the SDK's version: the same code has the same on every machine.

    The SDK's own reads every module that is loaded, which takes a worker a second as it starts.
    """
    root = Path(__file__).parent.parent
    digest = hashlib.sha256(version("temporalio").encode())
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*") if path.suffix in KINDS):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:DIGITS]
