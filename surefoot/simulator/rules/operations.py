"""The operations agent: place the orders that the prompt names, then send the mail that it asks for."""

import re

from surefoot.contracts.base import JsonObject
from surefoot.simulator.outcomes import Outcome
from surefoot.simulator.reply import Reply, Wish
from surefoot.simulator.rules.telling import tell_trouble
from surefoot.simulator.situation import Situation, fill

_ORDER = re.compile(
    r"\border (\d+)\s*(?:x\s|pieces? of|units? of)?\s*([A-Za-z][\w -]*?)\s*(?=[.,;:!?]|\band\b|\bthen\b|\bfor\b|$)",
    re.IGNORECASE | re.MULTILINE,
)
_MAIL = re.compile(r"\be?-?mail\s+(?:to\s+)?([\w.+-]+@[\w-]+(?:\.[\w-]+)+)[\s,:]*([^\n]*)", re.IGNORECASE)


def operate(situation: Situation) -> Reply | None:
    """Orders first, all at once; then the mail with their numbers; then a report."""
    orders = _wished_orders(situation)
    mail = _MAIL.search(situation.request) if _at_hand(situation, "send_email") else None
    if not orders and not mail:
        return None
    if orders and not situation.has_called("create_order"):
        return Reply(calls=orders)
    if mail and not situation.has_called("send_email") and not _troubles(situation):
        return Reply(calls=(_mail(situation, mail),))
    return Reply(text=_report(situation))


def _at_hand(situation: Situation, tool: str) -> bool:
    return situation.offer(tool) is not None or situation.has_called(tool)


def _wished_orders(situation: Situation) -> tuple[Wish, ...]:
    if not _at_hand(situation, "create_order"):
        return ()
    return tuple(
        Wish("create_order", _arguments(situation, "create_order", {"product": product, "quantity": int(quantity)}))
        for quantity, product in _ORDER.findall(situation.request)
    )


def _arguments(situation: Situation, tool: str, facts: JsonObject) -> JsonObject:
    offer = situation.offer(tool)
    return fill(offer, facts) if offer else facts


def _mail(situation: Situation, asked: re.Match[str]) -> Wish:
    orders = ", ".join(_order_line(outcome) for outcome in situation.outcomes("create_order"))
    about = asked.group(2).strip(" .") or "your request"
    facts: JsonObject = {
        "to": asked.group(1).rstrip("."),
        "subject": "Order confirmation" if orders else "A message for you",
        "body": f"{about}. {f'Ordered: {orders}.' if orders else ''}".strip(),
    }
    return Wish("send_email", _arguments(situation, "send_email", facts))


def _order_line(outcome: Outcome) -> str:
    order = outcome.value if isinstance(outcome.value, dict) else {}
    return f"{order.get('id')} ({order.get('total')} EUR)"


def _troubles(situation: Situation) -> list[str]:
    return [
        tell_trouble(done.call.tool.replace("_", " "), done.outcome)
        for done in situation.done
        if not done.outcome.succeeded
    ]


def _report(situation: Situation) -> str:
    placed = [_order_line(outcome) for outcome in situation.outcomes("create_order") if outcome.succeeded]
    sent = [
        str(done.call.arguments.get("to"))
        for done in situation.done
        if done.call.tool == "send_email" and done.outcome.succeeded
    ]
    said = [f"Ordered: {', '.join(placed)}."] if placed else []
    said += [f"Mail sent to {', '.join(sent)}."] if sent else []
    return " ".join([*said, *_troubles(situation)]) or "There was nothing to do."
