"""The environment of the peers: where it is and what is in it."""

from importlib.metadata import distributions
from pathlib import Path

from benchmarks.report import ROOT

FOLDER = ROOT / ".venv-peers"
PACKAGES = ("pydantic-ai-slim", "openai-agents", "temporalio-openai-agents", "temporalio", "pydantic")


def python(folder: Path = FOLDER) -> str:
    return str(folder / "bin" / "python")


def there(folder: Path = FOLDER) -> bool:
    return Path(python(folder)).exists()


def versions(folder: Path = FOLDER) -> dict[str, str]:
    """Of what the peers are made of, by name; where it is not installed, leaves with a line that tells how to."""
    places = [str(path) for path in folder.glob("lib/python*/site-packages")]
    there = {found.name: found.version for found in distributions(path=places)}
    if missing := [name for name in PACKAGES if name not in there]:
        raise SystemExit(f"{folder.name!r} lacks {missing[0]!r}: `make bench-peers` sets it up, and then measures")
    return {f"{name} of the peers": there[name] for name in PACKAGES}
