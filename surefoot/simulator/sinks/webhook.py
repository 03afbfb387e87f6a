"""Somebody's own receiver of webhooks: checks the signature as Standard Webhooks asks, and knows both forms."""

import base64
import hashlib
import hmac
import time
from typing import Literal

from pydantic import AwareDatetime, Field
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from surefoot.contracts.base import JsonObject
from surefoot.contracts.oncall import Instruction, Link
from surefoot.simulator.answers import Answer, json_answer
from surefoot.simulator.sinks import keys
from surefoot.simulator.sinks.intake import Letter, Refused, Strict, parsed, taken

TARGET = "webhook"
TOLERANCE = 300
"""Seconds that a message may be old."""
_NOTICES = {
    "incident.triggered": "trigger",
    "incident.acknowledged": "acknowledge",
    "incident.resolved": "resolve",
}


class Incident(Strict):
    incident_id: str = Field(min_length=1)
    notice: Literal["trigger", "acknowledge", "resolve"]
    kind: str
    severity: int = Field(ge=1, le=5)
    why: str
    subject: str
    tenant: str
    title: str = Field(min_length=1)
    summary: str
    who: str
    level: int
    round: int
    opened_at: AwareDatetime
    occurrences: int = Field(ge=1)
    instructions: list[Instruction]
    links: list[Link]
    by: str | None
    reason: str | None
    command: str


class Own(Strict):
    type: Literal["incident.triggered", "incident.acknowledged", "incident.resolved"]
    timestamp: AwareDatetime
    data: Incident


class AlertmanagerAlert(Strict):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: AwareDatetime
    endsAt: AwareDatetime
    generatorURL: str
    fingerprint: str = Field(pattern=r"^[0-9a-f]{16}$")


class Group(Strict):
    version: Literal["4"]
    groupKey: str = Field(min_length=1)
    truncatedAlerts: int
    status: Literal["firing", "resolved"]
    receiver: str
    groupLabels: dict[str, str]
    commonLabels: dict[str, str]
    commonAnnotations: dict[str, str]
    externalURL: str
    alerts: list[AlertmanagerAlert] = Field(min_length=1)


def _take(letter: Letter) -> Answer:
    number = _verified(letter)
    notice, key, title = _understood(letter.body)
    if all(before.headers["webhook-id"] != number for before in letter.world.sinks.get(TARGET, [])):
        alerts = letter.world.alerts
        if notice == "trigger":
            alerts.trigger(TARGET, key, title=title)
        elif notice == "acknowledge":
            alerts.acknowledge(TARGET, key)
        else:
            alerts.resolve(TARGET, key)
    letter.keep(TARGET)
    return json_answer(200, {})


def _verified(letter: Letter) -> str:
    """The message's id, if it is signed, fresh and as it was sent."""
    headers = letter.request.headers
    number, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > TOLERANCE:
        raise Refused(400, f"webhook-timestamp {sent!r} is not of now")
    digest = hmac.new(keys.SIGNING, f"{number}.{sent}.".encode() + letter.raw, hashlib.sha256).digest()
    wanted = f"v1,{base64.b64encode(digest).decode()}"
    if not number or not any(hmac.compare_digest(wanted, one) for one in headers.get("webhook-signature", "").split()):
        raise Refused(401, "webhook-signature is not of this message")
    return number


def _understood(body: JsonObject) -> tuple[str, str, str]:
    """The notice, the dedup key and the title, from either form."""
    if "version" not in body:
        own = parsed(Own, body)
        if _NOTICES[own.type] != own.data.notice:
            raise Refused(400, f"type {own.type!r} is not of notice {own.data.notice!r}")
        return own.data.notice, own.data.incident_id, own.data.title
    group = parsed(Group, body)
    alert = group.alerts[0]
    if (alert.status == "resolved") != (alert.endsAt.year > 1):
        raise Refused(400, "endsAt is not of this status")
    notice = "acknowledge" if "acknowledged_by" in alert.annotations else "trigger"
    return "resolve" if group.status == "resolved" else notice, group.groupKey, alert.annotations["summary"]


def _complain(status: int, problems: tuple[str, ...]) -> Answer:
    return json_answer(status, {"error": "; ".join(problems)})


def _name(request: Request, body: JsonObject) -> str:
    data = body.get("data")
    if isinstance(data, dict):
        return str(data.get("notice", "post"))
    return "resolve" if body.get("status") == "resolved" else "trigger"


async def _posted(request: Request) -> ASGIApp:
    return await taken(request, TARGET, _name, _take, _complain)


def routes() -> list[Route]:
    return [Route("/webhook", _posted, methods=["POST"])]
