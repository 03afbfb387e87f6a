"""PagerDuty's Events API v2: takes what the real one would, refuses the rest with its words."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from surefoot.contracts.base import JsonObject
from surefoot.simulator.answers import Answer, json_answer
from surefoot.simulator.sinks import keys
from surefoot.simulator.sinks.intake import Address, Letter, Refused, Strict, at_most, parsed, taken

TARGET = "pagerduty"
LARGEST = 512_000
"""Bytes of an event."""

Text = Annotated[str, Field(min_length=1), at_most(1_024)]


class Link(Strict):
    href: Address
    text: str = ""


class Payload(Strict):
    summary: Text
    source: Text
    severity: Literal["critical", "error", "warning", "info"]
    timestamp: AwareDatetime | None = None
    component: str = ""
    group: str = ""
    class_: str = Field(default="", alias="class")
    custom_details: dict[str, JsonValue] = Field(default={})


class Event(Strict):
    routing_key: str = Field(min_length=32, max_length=32)
    event_action: Literal["trigger", "acknowledge", "resolve"]
    dedup_key: Annotated[str, Field(min_length=1), at_most(255)]
    payload: Payload | None = None
    client: str = ""
    client_url: Address | None = None
    links: list[Link] = Field(default=[])


def _take(letter: Letter) -> Answer:
    if len(letter.raw) > LARGEST:
        raise Refused(413, "the event is larger than 512 kB")
    event = parsed(Event, letter.body)
    if event.routing_key != keys.PAGERDUTY:
        raise Refused(400, f"Invalid routing key {event.routing_key}")  # it does echo the key
    alerts = letter.world.alerts
    match event.event_action:
        case "trigger":
            if event.payload is None:
                raise Refused(400, "payload: a trigger needs one")
            alerts.trigger(TARGET, event.dedup_key, title=event.payload.summary, severity=event.payload.severity)
        case "acknowledge":
            alerts.acknowledge(TARGET, event.dedup_key)
        case "resolve":
            alerts.resolve(TARGET, event.dedup_key)
    letter.keep(TARGET)
    return json_answer(202, {"status": "success", "message": "Event processed", "dedup_key": event.dedup_key})


def _complain(status: int, problems: tuple[str, ...]) -> Answer:
    told: JsonObject = {"status": "invalid event", "message": "Event object is invalid", "errors": list(problems)}
    return json_answer(status, told)


def _name(request: Request, body: JsonObject) -> str:
    return str(body.get("event_action", "enqueue"))


async def _enqueue(request: Request) -> ASGIApp:
    return await taken(request, TARGET, _name, _take, _complain)


def routes() -> list[Route]:
    return [Route("/pagerduty/v2/enqueue", _enqueue, methods=["POST"])]
