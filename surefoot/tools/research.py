"""Research: search the sources, publish a summary."""

from typing import Annotated

from pydantic import Field, JsonValue

from surefoot.contracts.tools import Effect
from surefoot.ports import ToolContext
from surefoot.tools.contract import Arguments, tool
from surefoot.tools.http import Backend


class Search(Arguments):
    query: Annotated[str, Field(description="A few words.", min_length=1, max_length=400)]


@tool(
    backend="search_url",
    effect=Effect.READ,
    fallback="Search is unavailable right now. Say so instead of answering from memory.",
)
async def search(arguments: Search, context: ToolContext, backend: Backend) -> JsonValue:
    """Search the sources for a few words and get titles, addresses and excerpts."""
    return await backend.get("search", query={"q": arguments.query}, context=context)


class PublishSummary(Arguments):
    title: Annotated[str, Field(description="One line.", min_length=1, max_length=200)]
    summary: Annotated[str, Field(description="The whole text to publish.", min_length=1, max_length=20_000)]


@tool(
    backend="publish_url",
    effect=Effect.KEYED,
    identity=("title",),  # a reworded text must not become a second article when the first is in doubt
    fallback="Publishing is unavailable right now. Nothing has been published by this call.",
)
async def publish_summary(arguments: PublishSummary, context: ToolContext, backend: Backend) -> JsonValue:
    """Publish a finished summary where everyone can read it."""
    return await backend.post("articles", body=arguments.model_dump(mode="json"), context=context)
