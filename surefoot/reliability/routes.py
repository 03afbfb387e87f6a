"""Routes in Redis: which models runs are led around, by the rules of ``lua/routes/``."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from surefoot.contracts.routing import Route
from surefoot.reliability.store import Row, Step, Store, run
from surefoot.reliability.times import milliseconds, moment


class Routes:
    """Makes the steps of a batch. All routes are in one key, so that a look at them is one command."""

    def __init__(self, prefix: str) -> None:
        self._keys = (f"{prefix}:routes",)

    def look_step(self) -> Step["Look"]:
        """Whatever is written, with the reservation that has to heed it."""
        return Step(("HGETALL", *self._keys), lambda row: Look(tuple(row)))

    def read_step(self) -> Step[tuple[Route, ...]]:
        return run("routes/read", self._keys, ("", ""), lambda row: tuple(_routes(tuple(row))))

    def put_step(self, model: str, to: str, incident: str, lease: timedelta) -> Step[Route]:
        def read(row: Row) -> Route:
            return Route(model=model, to=to, incident=incident, at=moment(row[0]), until=moment(row[1]))

        return run("routes/put", self._keys, (model, incident, to, milliseconds(lease)), read)

    def renew_step(self, model: str, incident: str, lease: timedelta) -> Step[bool]:
        return run("routes/renew", self._keys, (model, incident, milliseconds(lease)), lambda row: row[0] == "1")

    def drop_step(self, model: str, incident: str) -> Step[None]:
        return run("routes/drop", self._keys, (model, incident), lambda _: None)


class Look:
    """Routes as they were read, not yet judged by the clock."""

    def __init__(self, row: tuple[str, ...]) -> None:
        self._row = row

    def at(self, now: datetime) -> dict[str, Route]:
        """Those that hold, by the model that they lead around."""
        return {route.model: route for route in _known(self._row) if route.until > now} if self._row else {}


@lru_cache(maxsize=64)
def _known(row: tuple[str, ...]) -> tuple[Route, ...]:
    """They change once in an outage, and are read at each turn."""
    return tuple(_routes(row))


def _routes(row: tuple[str, ...]) -> Iterator[Route]:
    for model, text in zip(row[::2], row[1::2], strict=True):
        kept = json.loads(text)
        at, until = moment(int(kept["at"])), moment(int(kept["until"]))
        yield Route(model=model, to=kept["to"], incident=kept["incident"], at=at, until=until)


class RedisRoutes:
    """The port ``RouteDesk`` on Redis."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._routes = Routes(prefix)

    async def routes(self) -> tuple[Route, ...]:
        found = await self._store.one(self._routes.read_step())
        return tuple(sorted(found, key=lambda route: route.model))

    async def put(self, model: str, to: str, incident: str, lease: timedelta) -> Route:
        return await self._store.one(self._routes.put_step(model, to, incident, lease))

    async def renew(self, model: str, incident: str, lease: timedelta) -> bool:
        return await self._store.one(self._routes.renew_step(model, incident, lease))

    async def drop(self, model: str, incident: str = "") -> None:
        await self._store.one(self._routes.drop_step(model, incident))
