"""The sinks are as strict as the real pagers and chats, fail on request, and absorb repetitions."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx2
import pytest

from surefoot.settings import variables
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.sinks import keys
from surefoot.simulator.sinks.alerts import AlertState

EVENT: dict[str, Any] = {
    "routing_key": keys.PAGERDUTY,
    "event_action": "trigger",
    "dedup_key": "k1",
    "payload": {"summary": "orders is down", "source": "orders", "severity": "critical"},
}
ALERT: dict[str, Any] = {"message": "orders is down", "alias": "k1", "priority": "P1"}
HEADER: dict[str, Any] = {
    "type": "header",
    "block_id": "trigger:k1",
    "text": {"type": "plain_text", "text": "orders is down"},
}
GENIE = {"authorization": f"GenieKey {keys.OPSGENIE}"}


def section(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def post(text: str = "orders is down", *blocks: dict[str, Any]) -> dict[str, Any]:
    return {"text": text, "blocks": [HEADER, *blocks]}


async def test_the_sinks_can_be_set_up_by_variables(simulator: SimulatorClient) -> None:
    assert simulator.channel_variables.keys() <= variables().keys()


@pytest.mark.parametrize(
    "change",
    [
        {"routing_key": "short"},
        {"routing_key": "x" * 32},
        {"event_action": "page"},
        {"dedup_key": "k" * 256},
        {"payload": None},
        {"payload": {**EVENT["payload"], "severity": "SEV1"}},
        {"payload": {**EVENT["payload"], "summary": "s" * 1_025}},
        {"payload": {**EVENT["payload"], "summary": "with a NUL\0"}},
        {"payload": {"summary": "no source", "severity": "info"}},
        {"payload": {**EVENT["payload"], "timestamp": "yesterday"}},
        {"links": [{"href": "javascript:alert(1)"}]},
        {"surprise": 1},
    ],
)
async def test_pagerduty_refuses_an_event_that_is_wrong(
    change: dict[str, Any], http: httpx2.AsyncClient, simulator: SimulatorClient
) -> None:
    answer = await http.post("/pagerduty/v2/enqueue", json=EVENT | change)
    assert (answer.status_code, answer.json()["status"]) == (400, "invalid event")
    assert answer.json()["errors"]
    assert (await simulator.sunk("pagerduty"), await simulator.alerts()) == ([], [])


async def test_pagerduty_refuses_an_event_that_is_too_large(http: httpx2.AsyncClient) -> None:
    large = {**EVENT["payload"], "custom_details": {"log": "x" * 512_000}}
    assert (await http.post("/pagerduty/v2/enqueue", json=EVENT | {"payload": large})).status_code == 413


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"text"', b"\xff"])
@pytest.mark.parametrize("path", ["/pagerduty/v2/enqueue", "/opsgenie/v2/alerts", f"/slack/{keys.SLACK}", "/webhook"])
async def test_what_is_not_a_json_object_is_refused(path: str, content: bytes, http: httpx2.AsyncClient) -> None:
    answer = await http.post(path, content=content, headers={**GENIE, "content-type": "application/json"})
    assert answer.status_code == 400


async def test_pagerduty_opens_one_alert_a_key_and_another_after_its_resolution(
    http: httpx2.AsyncClient, simulator: SimulatorClient
) -> None:
    for action in ("resolve", "trigger", "trigger", "acknowledge", "resolve", "resolve", "trigger"):
        answer = await http.post("/pagerduty/v2/enqueue", json=EVENT | {"event_action": action})
        assert (answer.status_code, answer.json()["dedup_key"]) == (202, "k1")
    first, second = await simulator.alerts("pagerduty")
    assert (first.state, first.count, first.severity) == (AlertState.RESOLVED, 2, "critical")
    assert (second.state, second.count) == (AlertState.TRIGGERED, 1)
    assert (first.resolves, second.resolves, second.resolved_at) == (2, 0, None)
    assert first.resolved_at
    assert first.triggered_at <= first.resolved_at <= second.triggered_at


@pytest.mark.parametrize(
    "change",
    [
        {"message": "m" * 131},
        {"message": ""},
        {"alias": "a" * 513},
        {"description": "d" * 15_001},
        {"tags": ["t"] * 21},
        {"tags": ["t" * 51]},
        {"details": {"k": "v" * 8_000}},
        {"details": {"k": 1}},
        {"priority": "P6"},
        {"responder": "x"},
    ],
)
async def test_opsgenie_refuses_an_alert_that_is_wrong(change: dict[str, Any], http: httpx2.AsyncClient) -> None:
    assert (await http.post("/opsgenie/v2/alerts", json=ALERT | change, headers=GENIE)).status_code == 422


@pytest.mark.parametrize("path", ["", "/k1/acknowledge?identifierType=alias", "/k1/close?identifierType=alias"])
async def test_opsgenie_wants_its_key(path: str, http: httpx2.AsyncClient) -> None:
    assert (await http.post(f"/opsgenie/v2/alerts{path}", json=ALERT)).status_code == 401
    assert (await http.get("/opsgenie/v2/alerts/requests/1")).status_code == 401
    assert (await http.get("/opsgenie/v2/alerts/requests/1", headers=GENIE)).status_code == 404


async def test_opsgenie_finds_an_alert_by_its_alias_only(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await http.post("/opsgenie/v2/alerts", json=ALERT | {"alias": "a/b c"}, headers=GENIE)
    by_id = await http.post("/opsgenie/v2/alerts/a%2Fb%20c/close", json={}, headers=GENIE)
    unknown = await http.post("/opsgenie/v2/alerts/other/close?identifierType=alias", json={}, headers=GENIE)
    assert (by_id.status_code, unknown.status_code) == (422, 202)
    await http.post("/opsgenie/v2/alerts/a%2Fb%20c/acknowledge?identifierType=alias", json={}, headers=GENIE)
    (alert,) = await simulator.alerts("opsgenie")
    assert (alert.key, alert.state) == ("a/b c", AlertState.ACKNOWLEDGED)


@pytest.mark.parametrize(
    "body",
    [
        post("<!channel> is awake"),
        post("fine", section("<@U0001>")),
        post("fine", section("<javascript:alert(1)|click>")),
        post("fine", section("a < b")),
        post("fine", section("R&D")),
        post("fine", section("<https://a.example|a>", "plain_text")),
        post("fine", section("s" * 3_001)),
        post("fine", section("")),
        post("fine", {"type": "section"}),
        post("fine", {"type": "section", "fields": [section("f")["text"]] * 11}),
        post("fine", {"type": "section", "fields": [section("f" * 2_001)["text"]]}),
        post("fine", {"type": "carousel"}),
        post("fine", *[section("s")] * 50),
        post("fine", HEADER | {"text": {"type": "plain_text", "text": "h" * 151}}),
        post("fine", HEADER | {"text": {"type": "mrkdwn", "text": "h"}}),
        post(""),
        {"text": "no blocks", "blocks": []},
        {"blocks": [HEADER]},
    ],
)
async def test_slack_refuses_blocks_that_are_wrong(body: dict[str, Any], http: httpx2.AsyncClient) -> None:
    answer = await http.post(f"/slack/{keys.SLACK}", json=body)
    assert (answer.status_code, answer.text.partition(":")[0]) == (400, "invalid_blocks")


async def test_slack_takes_what_is_escaped_and_links(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    told = post(
        "&lt;!channel&gt; R&amp;D", section("<https://a.example/?b&amp;c|a &gt; b>"), section("x", "plain_text")
    )
    assert (await http.post(f"/slack/{keys.SLACK}", json=told)).text == "ok"
    assert (await http.post("/slack/services/T1/B1/other", json=told)).text == "invalid_token"
    assert len(await simulator.sunk("slack")) == 1


def headers_for(body: bytes, **change: str) -> dict[str, str]:
    now = change.get("at", str(int(time.time())))
    digest = hmac.new(keys.SIGNING, f"msg_1.{now}.".encode() + body, hashlib.sha256).digest()
    made = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    return made | {name: value for name, value in change.items() if name != "at"}


def group(**change: Any) -> dict[str, Any]:  # noqa: ANN401
    alert = {
        "status": "firing",
        "labels": {"alertname": "a"},
        "annotations": {"summary": "orders is down"},
        "startsAt": "2026-11-21T12:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": "0123456789abcdef",
    }
    whole = {
        "version": "4",
        "groupKey": "k1",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "r",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "",
    }
    return whole | {"alerts": [alert | change.pop("alert", {})]} | change


async def test_the_webhook_counts_a_message_once(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    body = json.dumps(group()).encode()
    for _ in range(2):
        assert (await http.post("/webhook", content=body, headers=headers_for(body))).status_code == 200
    (alert,) = await simulator.alerts("webhook")
    assert (alert.key, alert.count, len(await simulator.sunk("webhook"))) == ("k1", 1, 2)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"webhook-signature": "v1,AAAA"}, 401),
        ({"webhook-signature": ""}, 401),
        ({"webhook-id": "msg_2"}, 401),
        ({"at": "1000000000"}, 400),
        ({"webhook-timestamp": "now"}, 400),
    ],
)
async def test_the_webhook_refuses_what_is_not_genuine(
    change: dict[str, str], status: int, http: httpx2.AsyncClient
) -> None:
    body = json.dumps(group()).encode()
    assert (await http.post("/webhook", content=body, headers=headers_for(body, **change))).status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        group(version="3"),
        group(status="over"),
        group(alerts=[]),
        group(alert={"status": "resolved"}),
        group(alert={"fingerprint": "x"}),
        {"type": "incident.triggered", "timestamp": "2026-11-21T12:00:00Z", "data": {}},
        {"type": "incident.exploded"},
    ],
)
async def test_the_webhook_refuses_what_has_neither_form(wrong: dict[str, Any], http: httpx2.AsyncClient) -> None:
    body = json.dumps(wrong).encode()
    assert (await http.post("/webhook", content=body, headers=headers_for(body))).status_code == 400


async def test_a_sink_fails_on_request_for_one_notice(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    await simulator.fault("pagerduty", "status", status=429, operation="resolve", count=1)
    answers = [
        (await http.post("/pagerduty/v2/enqueue", json=EVENT | {"event_action": action})).status_code
        for action in ("trigger", "resolve", "resolve")
    ]
    assert answers == [202, 429, 202]
    assert [call.operation for call in await simulator.calls("pagerduty")] == ["trigger", "resolve", "resolve"]
