"""Claims of side effects: showing one, and settling one that is in doubt."""

import json

from pydantic import JsonValue
from pydantic.alias_generators import to_camel

from surefoot.cli.deeds import act, done
from surefoot.cli.office import opened
from surefoot.cli.output import Answer, Part, words
from surefoot.cli.plain import one_line, public
from surefoot.contracts.base import JsonObject
from surefoot.errors import InvalidInput, NotFound
from surefoot.settings import Settings

_WIDTH = 14


async def show(settings: Settings, key: str) -> Answer:
    async with opened(settings) as office:
        claim = await office.claim(key)
    if claim is None:
        raise NotFound(f"no claim {key!r}: nobody has tried this effect, or it is forgotten")
    return Answer(_document(key, claim), _facts(key, claim))


async def settle(settings: Settings, key: str, result: str | None, by: str, reason: str) -> Answer:
    """Settle it as done with a result, or without one as not done."""
    said = act(by, reason)
    content = None if result is None else _read(result)
    async with opened(settings) as desk:
        claim = await done(
            lambda: desk.settle_not_done(key, said) if result is None else desk.settle_done(key, content, said)
        )
    outcome = "not done, so it may be tried again" if result is None else "done"
    return Answer(
        _document(key, claim) | {"act": public(said)}, [words(f"{key} is settled as {outcome}, by {said.by}")]
    )


def _read(text: str) -> JsonValue:
    """The result as JSON; raises ``InvalidInput``."""
    try:
        content: JsonValue = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f'--done is not JSON ({error}); give the result, such as \'{{"order": "A-1"}}\'') from None
    return content


def _document(key: str, claim: JsonObject) -> JsonObject:
    return {"key": key, **{to_camel(name): value for name, value in claim.items()}}


def _facts(key: str, claim: JsonObject) -> list[Part]:
    told = {"key": key, **claim}
    lines = [(name.replace("_", " ").capitalize(), _shown(value)) for name, value in told.items()]
    return [words(f"{name:<{_WIDTH}}{value}") for name, value in lines if value]


def _shown(value: JsonValue) -> str:
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
