"""The shop behind the back ends: what they know and what they change. No HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from pydantic import JsonValue

from surefoot.contracts.base import JsonObject
from surefoot.simulator.catalogue import CUSTOMERS, ORDERS, PRICES, Item, Order, price_of
from surefoot.simulator.records import Records
from surefoot.simulator.search import results_for


class Refusal(Exception):
    """The shop says no: an HTTP status, a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Asked:
    """A request to a back end, without its transport."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject = field(default_factory=dict)
    key: str | None = None

    def text(self, name: str) -> str:
        """A field of the body that must hold words."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value.strip():
            raise Refusal(422, "invalid", f"{name} must be text, not {value!r}")
        return value.strip()


@dataclass(frozen=True)
class Told:
    """The shop's answer."""

    body: JsonObject
    status: int = 200


class Shop:
    """Customers, orders, returns, refunds, mail and articles of one world.

    Orders, returns and articles are made once for each key. A refund is made each time, but can be looked up by the
    key that was sent. Mail knows no keys at all.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._orders = {order.id: order for order in ORDERS}
        self._refunds: list[tuple[str | None, JsonObject]] = []
        self._by_key: dict[tuple[str, str], tuple[JsonObject, JsonObject]] = {}

    def customer(self, asked: Asked) -> Told:
        wanted = asked.path["id"].lower()
        for customer in CUSTOMERS:
            if wanted in (customer.id.lower(), customer.email):
                orders: list[JsonValue] = [order.id for order in self._orders.values() if order.customer == customer.id]
                return Told({**customer.shown(), "orders": orders})
        raise Refusal(404, "not_found", f"there is no customer {asked.path['id']!r}")

    def order(self, asked: Asked) -> Told:
        return Told(self._order(asked.path["id"]).shown())

    def create_order(self, asked: Asked) -> Told:
        product, quantity = asked.text("product"), asked.body.get("quantity")
        if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= 10_000:
            raise Refusal(422, "invalid", f"quantity must be a whole number from 1 to 10000, not {quantity!r}")

        def make() -> JsonObject:
            order = Order(
                id=f"B-{2001 + len(self._orders) - len(ORDERS)}",
                customer="C-1001",
                items=(Item(product, quantity, price_of(product)),),
                status="confirmed",
                placed="2026-11-21",
            )
            self._orders[order.id] = order
            return order.shown()

        return self._once("orders", "create_order", asked, make)

    def start_return(self, asked: Asked) -> Told:
        order, reason = self._order(asked.text("order_id")), asked.text("reason")

        def make() -> JsonObject:
            number = 1 + sum(effect.target == "returns" for effect in self._records.effects)
            label = f"https://shop.example/labels/{order.id}-{number}.pdf"
            return {
                "id": f"RT-{3000 + number}",
                "order_id": order.id,
                "reason": reason,
                "status": "label_sent",
                "label": label,
            }

        return self._once("returns", "start_return", asked, make)

    def issue_refund(self, asked: Asked) -> Told:
        order, reason = self._order(asked.text("order_id")), asked.text("reason")
        amount = _amount(asked.text("amount"))
        if amount > order.total:
            raise Refusal(422, "too_much", f"order {order.id} cost {order.total} EUR, {amount} cannot be refunded")
        refund: JsonObject = {
            "id": f"RF-{4001 + len(self._refunds)}",
            "order_id": order.id,
            "amount": str(amount),
            "currency": "EUR",
            "reason": reason,
            "status": "issued",
        }
        self._refunds.append((asked.key, refund))
        self._applied("refunds", "issue_refund", asked, refund)
        return Told(refund, 201)

    def refund_by_key(self, asked: Asked) -> Told:
        wanted = asked.query.get("key")
        for key, refund in self._refunds:
            if wanted is not None and key == wanted:
                return Told(refund)
        raise Refusal(404, "not_found", f"there is no refund with key {wanted!r}")

    def send_mail(self, asked: Asked) -> Told:
        to = asked.text("to")
        if "@" not in to:
            raise Refusal(422, "invalid", f"{to!r} is no mail address")
        number = 1 + sum(effect.target == "mail" for effect in self._records.effects)
        message: JsonObject = {
            "id": f"M-{5000 + number}",
            "to": to,
            "subject": asked.text("subject"),
            "body": asked.text("body"),
            "status": "sent",
        }
        self._applied("mail", "send_email", asked, message)
        return Told(message, 202)

    def search(self, asked: Asked) -> Told:
        query = asked.query.get("q", "").strip()
        if not query:
            raise Refusal(422, "invalid", "q must say what to search for")
        return Told({"query": query, "results": results_for(query)})

    def publish(self, asked: Asked) -> Told:
        title, summary = asked.text("title"), asked.text("summary")

        def make() -> JsonObject:
            number = 1 + sum(effect.target == "publish" for effect in self._records.effects)
            url = f"https://news.example/articles/{6000 + number}"
            return {"id": f"P-{6000 + number}", "title": title, "url": url, "characters": len(summary)}

        return self._once("publish", "publish_summary", asked, make)

    def stock(self, asked: Asked) -> Told:
        product = asked.path["product"].lower()
        if product not in PRICES:
            raise Refusal(404, "not_found", f"there is no product {product!r}")
        return Told({"product": product, "price": str(PRICES[product]), "in_stock": 3 * len(product)})

    def shipment(self, asked: Asked) -> Told:
        order = self._order(asked.path["id"])
        tracking = f"TRK{order.id.replace('-', '')}"
        return Told({"order_id": order.id, "tracking": tracking, "status": order.status, "delivered": order.delivered})

    def invoices(self, asked: Asked) -> Told:
        customer = self.customer(asked).body
        invoices: list[JsonValue] = [
            {"id": f"I-{order.id}", "order_id": order.id, "total": str(order.total), "date": order.placed}
            for order in self._orders.values()
            if order.customer == customer["id"]
        ]
        return Told({"customer_id": customer["id"], "invoices": invoices})

    def _order(self, id: str) -> Order:
        if order := self._orders.get(id.upper()):
            return order
        raise Refusal(404, "not_found", f"there is no order {id!r}")

    def _once(self, target: str, operation: str, asked: Asked, make: Callable[[], JsonObject]) -> Told:
        """Honour the key: the same one gets what it got before, and with another body is refused."""
        if asked.key is not None and (before := self._by_key.get((target, asked.key))):
            body, made = before
            if body != asked.body:
                raise Refusal(422, "key_reused", f"key {asked.key!r} was used with another body")
            return Told(made)
        made = make()
        if asked.key is not None:
            self._by_key[target, asked.key] = (asked.body, made)
        self._applied(target, operation, asked, made)
        return Told(made, 201)

    def _applied(self, target: str, operation: str, asked: Asked, made: JsonObject) -> None:
        self._records.effect(target, operation, key=asked.key, body=asked.body, id=str(made["id"]))


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0:
        raise Refusal(422, "invalid", f"amount must be a positive decimal number, not {text!r}")
    return amount
