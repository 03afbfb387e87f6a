"""The back ends do what their tools rely on."""

import httpx2
import pytest

from surefoot.settings import variables
from surefoot.simulator.client import SimulatorClient

REFUND = {"order_id": "A-1001", "amount": "49.90", "reason": "broken"}


@pytest.mark.parametrize("wanted", ["ada@example.com", "C-1001", "ADA@example.com"])
async def test_a_customer_is_found_by_id_or_address(http: httpx2.AsyncClient, wanted: str) -> None:
    answer = await http.get(f"/crm/customers/{wanted}")
    assert answer.status_code == 200
    assert answer.json()["name"] == "Ada Lovelace"
    assert "A-1001" in answer.json()["orders"]


@pytest.mark.parametrize("path", ["/crm/customers/nobody@example.com", "/orders/orders/A-9", "/refunds/refunds?key=k"])
async def test_what_does_not_exist_is_not_found(http: httpx2.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


async def test_an_order_shows_what_it_cost(http: httpx2.AsyncClient) -> None:
    order = (await http.get("/orders/orders/A-1001")).json()
    assert order["total"] == "49.90"
    assert order["items"] == [{"product": "teapot", "quantity": 1, "price": "49.90"}]


@pytest.mark.parametrize(
    ("path", "body", "target"),
    [
        ("/orders/orders", {"product": "mug", "quantity": 3}, "orders"),
        ("/returns/returns", {"order_id": "A-1001", "reason": "too big"}, "returns"),
        ("/publish/articles", {"title": "Tea", "summary": "It is hot."}, "publish"),
    ],
)
async def test_the_same_key_makes_the_same_thing_once(
    http: httpx2.AsyncClient, simulator: SimulatorClient, path: str, body: dict[str, object], target: str
) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await http.post(path, json=body, headers=key)
    again = await http.post(path, json=body, headers=key)
    other = await http.post(path, json={**body, "more": 1}, headers=key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 422)
    assert first.json() == again.json()
    [effect] = await simulator.effects(target, key="k1")
    assert effect.id == first.json()["id"]
    assert effect.body == body


async def test_a_created_order_can_be_looked_up(http: httpx2.AsyncClient) -> None:
    order = (await http.post("/orders/orders", json={"product": "mug", "quantity": 3})).json()
    assert (await http.get(f"/orders/orders/{order['id']}")).json() == order


async def test_a_refund_happens_each_time_but_is_found_by_its_key(
    http: httpx2.AsyncClient, simulator: SimulatorClient
) -> None:
    first = await http.post("/refunds/refunds", json=REFUND, headers={"Idempotency-Key": "k1"})
    await http.post("/refunds/refunds", json=REFUND, headers={"Idempotency-Key": "k1"})
    assert (await http.get("/refunds/refunds", params={"key": "k1"})).json() == first.json()
    assert [effect.key for effect in await simulator.effects("refunds")] == ["k1", "k1"]


async def test_mail_is_sent_each_time(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    mail = {"to": "ada@example.com", "subject": "Hello", "body": "Your order is on its way."}
    for _ in range(2):
        assert (await http.post("/mail/messages", json=mail)).status_code == 202
    assert [effect.n for effect in await simulator.effects("mail")] == [1, 2]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/orders/orders", {"product": "mug", "quantity": 0}),
        ("/orders/orders", {"product": "mug", "quantity": True}),
        ("/orders/orders", {"product": " ", "quantity": 1}),
        ("/refunds/refunds", {**REFUND, "amount": "NaN"}),
        ("/refunds/refunds", {**REFUND, "amount": "-1"}),
        ("/refunds/refunds", {**REFUND, "amount": "49.91"}),
        ("/refunds/refunds", {**REFUND, "amount": 49.9}),
        ("/mail/messages", {"to": "ada", "subject": "a", "body": "b"}),
    ],
)
async def test_bad_requests_are_refused_and_change_nothing(
    http: httpx2.AsyncClient, simulator: SimulatorClient, path: str, body: dict[str, object]
) -> None:
    answer = await http.post(path, json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]
    assert await simulator.effects() == []


async def test_a_body_that_is_no_json_is_refused(http: httpx2.AsyncClient) -> None:
    assert (await http.post("/orders/orders", content=b"{")).status_code == 400


async def test_a_search_finds_the_same_each_time(http: httpx2.AsyncClient) -> None:
    first = (await http.get("/search/search", params={"q": "solar sails"})).json()
    assert len(first["results"]) == 3
    assert "solar sails" in first["results"][0]["snippet"]
    assert first == (await http.get("/search/search", params={"q": "solar sails"})).json()
    assert (await http.get("/search/search")).status_code == 422


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/inventory/products/teapot", {"product": "teapot", "price": "49.90"}),
        ("/shipping/shipments/A-1003", {"order_id": "A-1003", "status": "shipped"}),
        ("/billing/customers/C-1002/invoices", {"customer_id": "C-1002"}),
    ],
)
async def test_stock_shipments_and_invoices_can_be_read(
    http: httpx2.AsyncClient, path: str, expected: dict[str, str]
) -> None:
    assert expected.items() <= (await http.get(path)).json().items()


async def test_worlds_do_not_see_each_other(http: httpx2.AsyncClient, simulator: SimulatorClient) -> None:
    other = SimulatorClient(simulator.url.partition("/w/")[0], "another-world")
    async with other:
        await http.post("/orders/orders", json={"product": "mug", "quantity": 1})
        await simulator.fault("orders", "status")
        assert await other.effects() == []
        assert await other.faults() == []
        assert await other.calls() == []


def test_the_settings_point_at_the_world(simulator: SimulatorClient) -> None:
    urls = {
        "GEMINI_API_URL": simulator.gemini_url,
        "MISTRAL_API_URL": simulator.mistral_url,
        "CRM_API_URL": simulator.crm_url,
        "ORDER_API_URL": simulator.order_url,
        "RETURN_PORTAL_URL": simulator.return_url,
        "REFUND_API_URL": simulator.refund_url,
        "MAIL_API_URL": simulator.mail_url,
        "SEARCH_API_URL": simulator.search_url,
        "PUBLISH_API_URL": simulator.publish_url,
    }
    assert urls.items() <= simulator.variables.items()
    assert simulator.variables.keys() <= variables().keys()
