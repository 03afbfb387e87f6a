"""What every world's shop begins with: customers, products and orders."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from surefoot.contracts.base import JsonObject


@dataclass(frozen=True)
class Item:
    """A line of an order; ``price`` is of one piece, in euros."""

    product: str
    quantity: int
    price: Decimal

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity


@dataclass(frozen=True)
class Customer:
    id: str
    name: str
    email: str
    tier: str = "standard"
    since: str = "2024-01-15"

    def shown(self) -> JsonObject:
        return {"id": self.id, "name": self.name, "email": self.email, "tier": self.tier, "since": self.since}


@dataclass(frozen=True)
class Order:
    id: str
    customer: str
    items: tuple[Item, ...]
    status: str
    placed: str
    delivered: str | None = None

    @property
    def total(self) -> Decimal:
        return sum((item.total for item in self.items), Decimal(0))

    def shown(self) -> JsonObject:
        return {
            "id": self.id,
            "customer_id": self.customer,
            "status": self.status,
            "placed": self.placed,
            "delivered": self.delivered,
            "items": [
                {"product": item.product, "quantity": item.quantity, "price": str(item.price)} for item in self.items
            ],
            "total": str(self.total),
            "currency": "EUR",
        }


CUSTOMERS = (
    Customer("C-1001", "Ada Lovelace", "ada@example.com", tier="gold", since="2021-03-09"),
    Customer("C-1002", "Bob Miller", "bob@example.com"),
    Customer("C-1003", "Carla Rossi", "carla@example.com", since="2025-06-30"),
    Customer("C-1004", "Deniz Yilmaz", "deniz@example.com", tier="silver", since="2022-11-02"),
)

PRICES = {
    "teapot": Decimal("49.90"),
    "mug": Decimal("12.50"),
    "kettle": Decimal("89.00"),
    "desk lamp": Decimal("64.00"),
    "notebook": Decimal("7.20"),
}

ORDERS = (
    Order("A-1001", "C-1001", (Item("teapot", 1, PRICES["teapot"]),), "delivered", "2026-10-28", "2026-11-02"),
    Order(
        "A-1002",
        "C-1001",
        (Item("mug", 4, PRICES["mug"]), Item("notebook", 2, PRICES["notebook"])),
        "delivered",
        "2026-10-30",
        "2026-11-05",
    ),
    Order("A-1003", "C-1002", (Item("kettle", 1, PRICES["kettle"]),), "shipped", "2026-11-14"),
    Order("A-1004", "C-1003", (Item("desk lamp", 2, PRICES["desk lamp"]),), "delivered", "2026-11-01", "2026-11-08"),
    Order("A-1005", "C-1004", (Item("notebook", 10, PRICES["notebook"]),), "processing", "2026-11-19"),
)


def price_of(product: str) -> Decimal:
    """The price of one piece in euros; a product outside the catalogue has one that follows from its name."""
    known = PRICES.get(product.lower())
    if known is not None:
        return known
    cents = 500 + int.from_bytes(hashlib.sha256(product.lower().encode()).digest()[:2]) % 9500
    return Decimal(cents) / 100
