"""Opsgenie's Alert API, which is Jira Service Management's too: create, acknowledge, close, and ask for a request."""

import uuid
from typing import Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from surefoot.contracts.base import JsonObject
from surefoot.simulator.answers import Answer, json_answer
from surefoot.simulator.sinks import keys
from surefoot.simulator.sinks.intake import Letter, Refused, Strict, at_most, parsed, taken

TARGET = "opsgenie"
LARGEST_DETAILS = 8_000
"""Characters of all keys and values."""
NAMES = {"acknowledge": "acknowledge", "close": "resolve"}
"""What the actions are called among all sinks' operations."""


class Alert(Strict):
    message: Annotated[str, Field(min_length=1), at_most(130)]
    alias: Annotated[str, Field(min_length=1), at_most(512)]
    description: Annotated[str, at_most(15_000)] = ""
    tags: list[Annotated[str, Field(min_length=1), at_most(50)]] = Field(default=[], max_length=20)
    details: dict[str, str] = Field(default={})
    entity: Annotated[str, at_most(512)] = ""
    source: Annotated[str, at_most(100)] = ""
    priority: Literal["P1", "P2", "P3", "P4", "P5"] = "P3"


class Action(Strict):
    user: Annotated[str, at_most(100)] = ""
    source: Annotated[str, at_most(100)] = ""
    note: Annotated[str, at_most(25_000)] = ""


def _create(letter: Letter) -> Answer:
    _authorised(letter.request)
    alert = parsed(Alert, letter.body, 422)
    if sum(len(key) + len(value) for key, value in alert.details.items()) > LARGEST_DETAILS:
        raise Refused(422, "details: has more than 8000 characters")
    letter.world.alerts.trigger(TARGET, alert.alias, title=alert.message, severity=alert.priority)
    letter.keep(TARGET)
    return _accepted()


def _act(letter: Letter) -> Answer:
    _authorised(letter.request)
    parsed(Action, letter.body, 422)
    if letter.request.query_params.get("identifierType") != "alias":
        raise Refused(422, "identifierType: this is no id")
    alias, alerts = letter.request.path_params["alias"], letter.world.alerts
    if _action(letter.request) == "acknowledge":
        alerts.acknowledge(TARGET, alias)
    else:
        alerts.resolve(TARGET, alias)
    letter.keep(TARGET)
    return _accepted()


def _authorised(request: Request) -> None:
    if request.headers.get("authorization") != f"GenieKey {keys.OPSGENIE}":
        raise Refused(401, f"Could not authenticate {request.headers.get('authorization')}")  # echoes the key


def _accepted() -> Answer:
    return json_answer(202, {"result": "Request will be processed", "took": 0.01, "requestId": str(uuid.uuid4())})


def _complain(status: int, problems: tuple[str, ...]) -> Answer:
    told: JsonObject = {"message": "; ".join(problems), "took": 0.0, "requestId": str(uuid.uuid4())}
    return json_answer(status, told)


def _name(request: Request, body: JsonObject) -> str:
    return NAMES.get(_action(request), "trigger")


def _action(request: Request) -> str:
    return request.url.path.rpartition("/")[2]


async def _created(request: Request) -> ASGIApp:
    return await taken(request, TARGET, _name, _create, _complain)


async def _acted(request: Request) -> ASGIApp:
    return await taken(request, TARGET, _name, _act, _complain)


async def _asked(request: Request) -> Answer:
    """No request is remembered; a wrong key is refused all the same."""
    try:
        _authorised(request)
    except Refused as refused:
        return _complain(refused.status, refused.problems)
    return _complain(404, ("Request not found. It might not be processed, yet.",))


def routes() -> list[Route]:
    return [
        Route("/opsgenie/v2/alerts", _created, methods=["POST"]),
        Route("/opsgenie/v2/alerts/requests/{id}", _asked, methods=["GET"]),
        *(Route(f"/opsgenie/v2/alerts/{{alias:path}}/{action}", _acted, methods=["POST"]) for action in NAMES),
    ]
