"""Setting faults and reading what happened, from tests and the demo."""

from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import httpx2
from pydantic import TypeAdapter

from surefoot.simulator.faults import Fault, FaultKind
from surefoot.simulator.records import CallEntry, EffectEntry, Sunk
from surefoot.simulator.sinks import keys
from surefoot.simulator.sinks.alerts import Alert
from surefoot.tls import trusted

_EFFECTS = TypeAdapter(list[EffectEntry])
_CALLS = TypeAdapter(list[CallEntry])
_FAULTS = TypeAdapter(list[Fault])
_SUNK = TypeAdapter(list[Sunk])
_ALERTS = TypeAdapter(list[Alert])

ADDRESSES = {
    "GEMINI_API_URL": "gemini",
    "MISTRAL_API_URL": "mistral",
    "CRM_API_URL": "crm",
    "ORDER_API_URL": "orders",
    "RETURN_PORTAL_URL": "returns",
    "REFUND_API_URL": "refunds",
    "MAIL_API_URL": "mail",
    "SEARCH_API_URL": "search",
    "PUBLISH_API_URL": "publish",
}


def sink_variables(world_url: str) -> dict[str, str]:
    """The settings that send incidents to the strict sinks of the world at this address."""
    return {
        "PAGERDUTY_ROUTING_KEY": keys.PAGERDUTY,
        "PAGERDUTY_API_URL": f"{world_url}/pagerduty",
        "OPSGENIE_API_KEY": keys.OPSGENIE,
        "OPSGENIE_API_URL": f"{world_url}/opsgenie",
        "SLACK_WEBHOOK_URL": f"{world_url}/slack/{keys.SLACK}",
        "INCIDENT_WEBHOOK_URL": f"{world_url}/webhook",
        "INCIDENT_WEBHOOK_SECRET": keys.WEBHOOK,
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


class SimulatorClient:
    """One world of a running simulator. Raises ``httpx2.HTTPStatusError`` if it refuses."""

    def __init__(self, base_url: str, world: str) -> None:
        self.url = f"{base_url.rstrip('/')}/w/{world}"
        self._http = httpx2.AsyncClient(base_url=self.url, timeout=10, verify=trusted())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    def target_url(self, target: str) -> str:
        """Where a back end or provider of this world is reached."""
        return f"{self.url}/{target}"

    def sink_url(self, name: str) -> str:
        """Where pages and messages for this sink are posted."""
        return f"{self.url}/sinks/{name}"

    @property
    def gemini_url(self) -> str:
        return self.target_url("gemini")

    @property
    def mistral_url(self) -> str:
        return self.target_url("mistral")

    @property
    def crm_url(self) -> str:
        return self.target_url("crm")

    @property
    def order_url(self) -> str:
        return self.target_url("orders")

    @property
    def return_url(self) -> str:
        return self.target_url("returns")

    @property
    def refund_url(self) -> str:
        return self.target_url("refunds")

    @property
    def mail_url(self) -> str:
        return self.target_url("mail")

    @property
    def search_url(self) -> str:
        return self.target_url("search")

    @property
    def publish_url(self) -> str:
        return self.target_url("publish")

    @property
    def variables(self) -> dict[str, str]:
        """The settings, by variable name, that point at this world."""
        addresses = {name: self.target_url(target) for name, target in ADDRESSES.items()}
        return {**addresses, "GEMINI_API_KEY": "simulator", "MISTRAL_API_KEY": "simulator"}

    @property
    def channel_variables(self) -> dict[str, str]:
        """The settings, by variable name, that send incidents to this world's sinks."""
        return sink_variables(self.url)

    async def fault(
        self,
        target: str,
        kind: FaultKind | str,
        *,
        operation: str | None = None,
        seconds: timedelta | None = None,
        retry_after: timedelta | None = None,
        duration: timedelta | None = None,
        **limits: Any,  # noqa: ANN401  # status, count, rate, seed, skip, model: as Fault has them
    ) -> Fault:
        """Set a fault; it holds until it is spent or cleared."""
        asked = {"target": target, "kind": kind, "operation": operation, "duration": _seconds(duration), **limits}
        if seconds is not None:
            asked["seconds"] = _seconds(seconds)
        if retry_after is not None:
            asked["retry_after"] = round(retry_after.total_seconds())
        return Fault.model_validate_json(await self._send("POST", "/faults", json=asked))

    async def faults(self) -> list[Fault]:
        """The faults that can still strike."""
        return _FAULTS.validate_json(await self._send("GET", "/faults"))

    async def clear_faults(self, target: str | None = None) -> None:
        """End every fault, or those of one target. Requests that hang already go on hanging."""
        await self._send("DELETE", "/faults", params=_given(target=target))

    async def effects(self, target: str | None = None, key: str | None = None) -> list[EffectEntry]:
        """What really happened, in order."""
        return _EFFECTS.validate_json(await self._send("GET", "/effects", params=_given(target=target, key=key)))

    async def calls(self, target: str | None = None) -> list[CallEntry]:
        """Every request that came, in order."""
        return _CALLS.validate_json(await self._send("GET", "/calls", params=_given(target=target)))

    async def sunk(self, sink: str) -> list[Sunk]:
        """The pages or messages that a sink was sent."""
        return _SUNK.validate_json(await self._send("GET", f"/sinks/{sink}"))

    async def alerts(self, target: str | None = None) -> list[Alert]:
        """What people were called for: the messages to the sinks, repetitions absorbed by their dedup key."""
        return _ALERTS.validate_json(await self._send("GET", "/alerts", params=_given(target=target)))

    async def _send(self, method: str, path: str, **how: Any) -> bytes:  # noqa: ANN401  # as httpx2 takes them
        answer = await self._http.request(method, path, **how)
        answer.raise_for_status()
        return answer.content


def _given(**parameters: str | None) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value is not None}
