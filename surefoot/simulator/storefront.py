"""The shop's back ends over HTTP."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from surefoot.contracts.base import JsonObject
from surefoot.simulator.answers import Answer, json_answer
from surefoot.simulator.delivery import deliver
from surefoot.simulator.faults import Fault
from surefoot.simulator.shop import Asked, Refusal, Shop, Told
from surefoot.simulator.worlds import World

Desk: TypeAlias = Callable[[Shop, Asked], Told]


@dataclass(frozen=True)
class _Counter:
    """One operation of one back end: where it is asked for, and who answers."""

    target: str
    operation: str
    method: str
    path: str
    desk: Desk

    async def __call__(self, request: Request) -> ASGIApp:
        world: World = request.app.state.worlds[request.path_params["world"]]
        key = request.headers.get("idempotency-key")
        call = world.records.call(self.target, self.operation, method=self.method, key=key)
        raw = await request.body()
        return await deliver(
            request,
            world.faults.strike(self.target, self.operation),
            call,
            act=lambda: self._ask(world.shop, request, key, raw),
            refuse=_failure,
        )

    def _ask(self, shop: Shop, request: Request, key: str | None, raw: bytes) -> Answer:
        try:
            body = _parsed(raw)
            told = self.desk(shop, Asked(request.path_params, dict(request.query_params), body, key))
        except Refusal as refusal:
            return _error(refusal.status, refusal.code, str(refusal))
        return json_answer(told.status, told.body)


def _parsed(raw: bytes) -> JsonObject:
    try:
        body: JsonValue = json.loads(raw or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, "malformed", "the body must be a JSON object")
    return body


def _error(status: int, code: str, message: str) -> Answer:
    return json_answer(status, {"error": {"code": code, "message": message}})


def _failure(fault: Fault) -> Answer:
    return _error(fault.status, "fault", f"the service answers {fault.status} because it was told to")


COUNTERS = (
    _Counter("crm", "lookup", "GET", "/crm/customers/{id}", Shop.customer),
    _Counter("orders", "lookup", "GET", "/orders/orders/{id}", Shop.order),
    _Counter("orders", "create_order", "POST", "/orders/orders", Shop.create_order),
    _Counter("returns", "start_return", "POST", "/returns/returns", Shop.start_return),
    _Counter("refunds", "issue_refund", "POST", "/refunds/refunds", Shop.issue_refund),
    _Counter("refunds", "lookup", "GET", "/refunds/refunds", Shop.refund_by_key),
    _Counter("mail", "send_email", "POST", "/mail/messages", Shop.send_mail),
    _Counter("search", "search", "GET", "/search/search", Shop.search),
    _Counter("publish", "publish_summary", "POST", "/publish/articles", Shop.publish),
    _Counter("inventory", "lookup", "GET", "/inventory/products/{product}", Shop.stock),
    _Counter("shipping", "lookup", "GET", "/shipping/shipments/{id}", Shop.shipment),
    _Counter("billing", "lookup", "GET", "/billing/customers/{id}/invoices", Shop.invoices),
)


def routes() -> list[Route]:
    return [
        Route(counter.path, counter.__call__, methods=[counter.method], name=f"{counter.target}.{counter.operation}")
        for counter in COUNTERS
    ]
