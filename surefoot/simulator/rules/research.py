"""The research agent: search, write a summary, publish it; rejected with feedback, write another one."""

from pydantic import JsonValue

from surefoot.contracts.base import JsonObject
from surefoot.simulator.outcomes import Kind
from surefoot.simulator.reply import Reply, Wish
from surefoot.simulator.rules.telling import tell_trouble
from surefoot.simulator.situation import Situation, fill

_TOPIC = (
    r"\b(?:research|search (?:for|about)|look up|find out(?: about)?|about|on)\s+(.+?)"
    r"(?=\s*(?:,|;|\.|\?|!|\n|$|\band (?:then )?(?:publish|write|summari|send|tell)|\bthen\b))"
)
_COMPARED = " and "


def research(situation: Situation) -> Reply | None:
    """Search once for each topic, then publish if there is a tool for it, until nobody rejects it."""
    if not any(situation.offer(tool) or situation.has_called(tool) for tool in ("search", "publish_summary")):
        return None
    if situation.may_call("search"):
        return Reply(calls=tuple(_search(situation, topic) for topic in _topics(situation)))
    if situation.offer("publish_summary") and _to_be_published(situation):
        return Reply(calls=(_publication(situation),))
    return Reply(text=_report(situation))


def _topics(situation: Situation) -> list[str]:
    match = situation.match(_TOPIC)
    topic = (match.group(1) if match else situation.request).strip()[:200]
    return topic.split(_COMPARED)[:4] if situation.match(r"\bcompare\b") else [topic]


def _search(situation: Situation, topic: str) -> Wish:
    offer = situation.offer("search")
    facts: JsonObject = dict.fromkeys(("query", "q", "topic"), topic)
    return Wish("search", fill(offer, facts) if offer else facts)


def _to_be_published(situation: Situation) -> bool:
    """Not yet tried, or tried and rejected by a human. A failure is not tried again."""
    tried = situation.outcomes("publish_summary")
    return tried[-1].kind is Kind.REJECTED if tried else bool(_snippets(situation)) or not situation.done


def _publication(situation: Situation) -> Wish:
    offer = situation.offer("publish_summary")
    topic = " and ".join(_topics(situation))
    facts: JsonObject = {"title": f"On {topic}", "summary": _summary(situation), "text": _summary(situation)}
    return Wish("publish_summary", fill(offer, facts) if offer else facts)


def _summary(situation: Situation) -> str:
    """What was found; from the second version on with what the reader asked for in front."""
    rejections = [outcome.feedback for outcome in situation.outcomes("publish_summary")]
    found = _snippets(situation)
    body = " ".join(found[: max(1, 3 - len(rejections))]) or f"On {' and '.join(_topics(situation))}."
    if not rejections:
        return body
    return f"Version {len(rejections) + 1}, with regard to “{'”, “'.join(rejections)}”: {body}"


def _snippets(situation: Situation) -> list[str]:
    found: list[JsonValue] = []
    for outcome in situation.outcomes("search"):
        results = outcome.value.get("results") if isinstance(outcome.value, dict) else outcome.value
        found += results if isinstance(results, list) else [results] if outcome.succeeded else []
    return [str(one.get("snippet", one.get("title")) if isinstance(one, dict) else one) for one in found if one]


def _report(situation: Situation) -> str:
    said = [
        tell_trouble(done.call.tool.replace("_", " "), done.outcome)
        for done in situation.done
        if done.outcome.kind in (Kind.FAILED, Kind.UNKNOWN)
    ]
    if article := situation.found("publish_summary"):
        said.append(f"Published “{article.get('title')}” at {article.get('url')}.")
    elif snippets := _snippets(situation):
        said.append(f"This is what I found: {' '.join(snippets[:3])}")
    return " ".join(said) or "I found nothing."
