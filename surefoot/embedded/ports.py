"""Free ports, and whether the process that was given one has it."""

import os
import socket
import sys
from pathlib import Path

HOST = "127.0.0.1"
_LISTENING = "0A"


def free_port() -> int:
    """A port that nobody has at this moment. Somebody may take it before it is used."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def holds(pid: int, port: int) -> bool:
    """Whether the process listens on the port; where Linux's ``/proc`` is missing, whether anybody does."""
    if sys.platform != "linux":
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0
    return not _listening(port).isdisjoint(_sockets(pid))


def _listening(port: int) -> set[str]:
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]" for row in rows if row[3] == _LISTENING and row[1].endswith(f":{port:04X}")}


def _sockets(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.add(os.readlink(entry))
        except FileNotFoundError:
            continue  # closed since it was listed
    return found
