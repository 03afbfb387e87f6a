"""Recorded histories as files: what is left out of them, what may not be in them, and how they are read."""

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any, TypeAlias

from temporalio.client import WorkflowHistory

FOLDER = Path(__file__).parent / "histories"
MACHINE = re.compile(r"(?<![\w.:/])/(?:tmp|root|home|work|usr|var|opt|Users)/|\b\d+@[\w-]+|\bvm-[0-9a-f]{8}")
"""Paths, processes and hosts of whoever recorded."""
_STICKY = re.compile(r"^.+(-|@vm-)[0-9a-f]{32}$")

_Json: TypeAlias = Any
"""What a JSON document is made of."""


def scrubbed(history: _Json) -> _Json:
    """The history without stack traces and without names of workers and of their own task queues."""
    if isinstance(history, list):
        return [scrubbed(item) for item in history]
    if not isinstance(history, dict):
        return history
    kept = {key: scrubbed(value) for key, value in history.items() if key != "stackTrace"}
    if "identity" in kept:
        kept["identity"] = "worker"
    if isinstance(kept.get("name"), str) and _STICKY.match(kept["name"]):
        kept["name"] = "worker-sticky"
    return kept


def traces(history: _Json) -> set[str]:
    """What the history tells of the machine on which it was recorded, in its payloads too."""
    if isinstance(history, list):
        return {found for item in history for found in traces(item)}
    if isinstance(history, dict):
        payload = history.get("data")
        inside = traces(base64.b64decode(payload).decode(errors="replace")) if isinstance(payload, str) else set()
        return inside | {found for key, value in history.items() if key != "data" for found in traces(value)}
    return set(MACHINE.findall(history)) if isinstance(history, str) else set()


def write(path: Path, history: WorkflowHistory) -> None:
    """Raises ``FileExistsError``: what a release did is not what a later one does. ``ValueError`` for traces."""
    told = scrubbed(json.loads(history.to_json()))
    if found := traces(told):
        raise ValueError(f"{path.name} would tell of this machine: {', '.join(sorted(found))}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(gzip.compress(json.dumps(told, separators=(",", ":")).encode(), mtime=0))


def written(folder: Path, name: str) -> list[Path]:
    """The files of a scenario."""
    return sorted(folder.glob(f"{name}-[0-9]*.json.gz"))


def read(path: Path) -> WorkflowHistory:
    """The recorded history, under the workflow's own id: effects and approvals are named after it."""
    told = json.loads(gzip.decompress(path.read_bytes()))
    return WorkflowHistory.from_json(told["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"], told)


def recorded() -> dict[str, Path]:
    """Every recorded history, by version and name."""
    return {str(path.relative_to(FOLDER)).removesuffix(".json.gz"): path for path in sorted(FOLDER.rglob("*.json.gz"))}
