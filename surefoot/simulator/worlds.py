"""Worlds: each with its own data, faults, effects and calls, so that parallel tests do not disturb each other."""

from datetime import UTC, datetime

from pydantic import JsonValue

from surefoot.simulator.faults import FaultBoard
from surefoot.simulator.records import Records, Sunk
from surefoot.simulator.shop import Shop
from surefoot.simulator.signatures import Signatures
from surefoot.simulator.sinks.alerts import Alerts


class World:
    """Everything that one user of the simulator can see or change."""

    def __init__(self) -> None:
        self.records = Records()
        self.faults = FaultBoard()
        self.shop = Shop(self.records)
        self.signatures = Signatures()
        self.sinks: dict[str, list[Sunk]] = {}
        self.alerts = Alerts()

    def sink(self, name: str, *, headers: dict[str, str], body: JsonValue) -> Sunk:
        """Keep a page or message."""
        kept = self.sinks.setdefault(name, [])
        entry = Sunk(n=len(kept) + 1, at=datetime.now(UTC), headers=headers, body=body)
        kept.append(entry)
        return entry


class Worlds:
    """All worlds of a server; one is made at its first use."""

    def __init__(self) -> None:
        self._worlds: dict[str, World] = {}

    def __getitem__(self, name: str) -> World:
        return self._worlds.setdefault(name, World())
