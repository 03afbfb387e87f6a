"""The model that keeps an agent's memory: of a record it keeps what is marked as ``[[fact words]]``, word for word."""

import json
from collections.abc import Iterator

from pydantic import JsonValue

from surefoot.condensing import TASK
from surefoot.simulator.reply import Reply
from surefoot.simulator.situation import Situation, facts_in


def remember(situation: Situation) -> Reply | None:
    """A summary, where the system prompt asks for one."""
    if not is_record(situation):
        return None
    told = (text for line in situation.request.splitlines() for text in _texts(_read(line)))
    facts = dict.fromkeys(fact for text in told for fact in facts_in(text))
    return Reply(text="\n".join(f"[[fact {fact}]]" for fact in facts) or "Nothing was marked.")


def is_record(situation: Situation) -> bool:
    """Whether the request is a record to be summarised."""
    return situation.prompt.system.startswith(TASK)


def _read(line: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(line)
    except ValueError:
        return line
    return value


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
