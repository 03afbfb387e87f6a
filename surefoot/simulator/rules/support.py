"""The support agent: look up customer and order at once, then refund or return, then tell the customer."""

import re

from surefoot.contracts.base import JsonObject
from surefoot.simulator.outcomes import Outcome
from surefoot.simulator.reply import Reply, Wish
from surefoot.simulator.rules.telling import tell_trouble
from surefoot.simulator.situation import Situation, fill

DESK = ("look_up_customer", "look_up_order", "start_return", "issue_refund")
SERVICES = {
    "look_up_customer": "our customer register",
    "look_up_order": "our order service",
    "start_return": "your return",
    "issue_refund": "your refund",
}
_EMAIL = r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
"""Bounded, and begun only where a word begins: a long text without blanks takes no longer than any other."""
_CUSTOMER = r"\bC-\d+\b"
_ORDER = r"\b[AB]-\d+\b"
_MONEY_BACK = r"money back|refund|reimburse"
_RETURN = r"\breturn|send (?:it|them|this) back"
_REASONS = ("broken", "damaged", "defective", "wrong", "late", "too big", "too small", "missing")


def help_customer(situation: Situation) -> Reply | None:
    """Decide the next step for a customer; None if this is no support desk."""
    if not any(situation.offer(tool) or situation.has_called(tool) or situation.closed(tool) for tool in DESK):
        return None
    facts = _facts(situation)
    if lookups := _calls(situation, _lookups(facts), facts):
        return Reply(calls=lookups)
    if not situation.done and not _closed(situation):
        return Reply(text="I am happy to help. Please tell me your order number and your e-mail address.")
    if deed := _calls(situation, _deed(situation), facts):
        return Reply(calls=deed)
    return Reply(text=_letter(situation))


def _find(situation: Situation, pattern: str) -> str | None:
    """The newest mention, in this request or in an earlier one."""
    mentions = re.findall(pattern, situation.request) or re.findall(pattern, situation.earlier)[-1:]
    return str(mentions[0]).rstrip(".") if mentions else None


def _facts(situation: Situation) -> JsonObject:
    """What is known, under every name that a tool might have for it."""
    order = situation.found("look_up_order")
    customer, order_id = _find(situation, _EMAIL) or _find(situation, _CUSTOMER), _find(situation, _ORDER)
    facts: JsonObject = {"reason": _reason(situation.request)}
    if customer:
        facts |= dict.fromkeys(("customer", "customer_id", "email", "id_or_email"), customer)
    if order_id:
        facts |= dict.fromkeys(("order", "order_id"), order_id)
    if "total" in order:
        facts["amount"] = order["total"]
    return facts


def _reason(request: str) -> str:
    said = [reason for reason in _REASONS if reason in request.lower()]
    return said[0] if said else "customer's wish"


def _lookups(facts: JsonObject) -> list[str]:
    return [tool for tool, known in (("look_up_customer", "customer"), ("look_up_order", "order_id")) if known in facts]


def _closed(situation: Situation) -> dict[str, Outcome]:
    """Look-ups that this request needs and that are unavailable before anything was called."""
    wanted = [tool for tool in _lookups(_facts(situation)) if not situation.has_called(tool)]
    closed = {tool: situation.closed(tool) for tool in wanted}
    return {tool: outcome for tool, outcome in closed.items() if outcome}


def _deed(situation: Situation) -> list[str]:
    """Refund or return, once the order is known."""
    if not situation.found("look_up_order"):
        return []
    if situation.match(_MONEY_BACK):
        return ["issue_refund"]
    return ["start_return"] if situation.match(_RETURN) else []


def _calls(situation: Situation, tools: list[str], facts: JsonObject) -> tuple[Wish, ...]:
    offers = [situation.offer(tool) for tool in tools if situation.may_call(tool)]
    return tuple(Wish(offer.name, fill(offer, facts)) for offer in offers if offer)


def _letter(situation: Situation) -> str:
    name = str(situation.found("look_up_customer").get("name", "customer"))
    said = [f"Dear {name},", *_news(situation)]
    said += [
        tell_trouble(SERVICES.get(done.call.tool, done.call.tool), done.outcome)
        for done in situation.done
        if not done.outcome.succeeded
    ]
    said += [tell_trouble(SERVICES[tool], outcome) for tool, outcome in _closed(situation).items()]
    return " ".join([*said, "Kind regards, your support team."])


def _news(situation: Situation) -> list[str]:
    """What was found and done."""
    news = []
    if order := situation.found("look_up_order"):
        news.append(f"your order {order.get('id')} over {order.get('total')} EUR is {order.get('status')}.")
    if refund := situation.found("issue_refund"):
        news.append(f"We have refunded {refund.get('amount')} EUR to you (refund {refund.get('id')}).")
    if sent := situation.found("start_return"):
        news.append(f"Your return {sent.get('id')} is open; print the label {sent.get('label')}.")
    return news
