"""Routes: listed, and ended by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from surefoot.cli.deeds import done
from surefoot.cli.output import Answer, table, words
from surefoot.cli.plain import public, when
from surefoot.desk import RouteDesk
from surefoot.errors import InvalidInput
from surefoot.profiles.document import close_match
from surefoot.reliability.opening import opened_store
from surefoot.reliability.routes import RedisRoutes
from surefoot.settings import Settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[RouteDesk]:
    async with opened_store(settings) as store:
        yield RedisRoutes(store, settings.key_prefix)


async def routes(settings: Settings) -> Answer:
    async with opened(settings) as desk:
        found = await desk.routes()
    rows = [(one.model, one.to, when(one.at), when(one.until), one.incident) for one in found]
    headings = ("Model", "Led to", "Since", "Until", "Incident")
    return Answer({"routes": public(found)}, [table(headings, rows, empty="runs are led around no model")])


async def clear(settings: Settings, model: str) -> Answer:
    """Raises ``InvalidInput`` if runs are led around no such model."""
    async with opened(settings) as desk:
        known = {route.model: route for route in await desk.routes()}
        if model not in known:
            raise InvalidInput(f"runs are not led around {model!r}{close_match(model, sorted(known))}")
        await done(lambda: desk.drop(model))
    return Answer({"model": model, "ended": public(known[model])}, [words(f"runs use {model} again")])
