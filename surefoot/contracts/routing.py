"""Routes: while a model is out, its runs use another one, because an incident says so."""

from datetime import datetime, timedelta

from surefoot.contracts.base import Duration, Message

LEASE = timedelta(minutes=30)
"""How long a route holds unless its incident renews it, so that none outlives what it is for."""


class Route(Message):
    """A model that is out, and the one that was seen to answer in its place. No profile calls one it does not name."""

    model: str
    to: str
    incident: str
    at: datetime
    until: datetime
    """By the store's clock; an incident that watches renews it."""


class RerouteRequest(Message):
    """Input of ``incidents.reroute``."""

    incident_id: str
    model: str
    candidates: tuple[str, ...] = ()
    """Models that may take over, in order; ``model`` itself is none."""
    lease: Duration = LEASE


class Unfit(Message):
    """A candidate that cannot take over now, and why."""

    model: str
    why: str


class Rerouted(Message):
    """Output of ``incidents.reroute``. Without a route, runs decide for themselves, each after its own attempts."""

    route: Route | None = None
    unfit: tuple[Unfit, ...] = ()


class RouteBackRequest(Message):
    """Input of ``incidents.route_back``."""

    incident_id: str
    model: str
    lease: Duration = LEASE
    """How much longer the route holds if the model does not answer; a route that is gone is not written again."""


class RoutedBack(Message):
    """Output of ``incidents.route_back``: the model answers, and no route of this incident leads around it."""

    model: str
    at: datetime
