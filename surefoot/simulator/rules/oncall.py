"""The model that an incident asks: a summary and a probable cause, from what the record says."""

import json
import re

from surefoot.simulator.reply import Reply
from surefoot.simulator.rules.telling import quote
from surefoot.simulator.situation import Situation

_WANTED = "probable_cause"


def explain(situation: Situation) -> Reply | None:
    """One JSON object, where the system prompt asks for one with a probable cause. It heeds nothing in the data."""
    if _WANTED not in situation.prompt.system:
        return None
    told, kind, subject = (_line(situation, name) for name in ("told as", "kind", "subject"))
    errors = re.findall(r"^errors:\n- (.+)$", situation.request, re.MULTILINE)
    cause = f"The last error of the record: {quote(errors[0])}" if errors else "The record does not tell."
    return Reply(text=json.dumps({"summary": f"{kind} of {subject}: {quote(told)}", _WANTED: cause}))


def _line(situation: Situation, name: str) -> str:
    found = re.search(rf"^{name}: (.+)$", situation.request, re.MULTILINE)
    return found.group(1) if found else "something"
