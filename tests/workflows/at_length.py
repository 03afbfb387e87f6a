"""Long runs: a scripted model that reads page after page of an archive, in the worker's own process."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue
from temporalio.client import Client

from surefoot.client import SurefootClient
from surefoot.contracts.tools import Effect
from surefoot.ports import ModelPort, ToolContext
from surefoot.settings import Settings
from surefoot.simulator.model_port import ScriptedModel
from surefoot.tools.contract import Arguments, tool
from surefoot.tools.http import Backend
from surefoot.tools.mail import send_email
from surefoot.tools.orders import create_order
from worker import composed

AGENTS = Path(__file__).parent / "agents_at_length"
PROFILE = "reader"
PAGE = 5_000
"""Bytes of a page, unless the model asks for more."""


class ReadPage(Arguments):
    page: Annotated[int, Field(description="From 1 on.", ge=1)]
    size: Annotated[int, Field(description="Bytes.", ge=1)] = PAGE


@tool(backend="search_url", effect=Effect.READ, fallback="The archive is closed.")
async def read_page(arguments: ReadPage, context: ToolContext, backend: Backend) -> JsonValue:
    """Read one page of the archive."""
    return page(arguments.page, arguments.size)


def page(number: int, size: int = PAGE) -> str:
    """Hexadecimal noise, the same each time: it compresses to half, as a page of words does at best.

    It begins with what is worth remembering.
    """
    blocks = (hashlib.sha256(f"{number}/{block}".encode()).hexdigest() for block in range(size // 64 + 1))
    return f"Page {number}: [[fact {fact(number)}]] {''.join(blocks)}"[:size]


def fact(number: int) -> str:
    return f"page {number} has code {hashlib.sha256(str(number).encode()).hexdigest()[:6]}"


def reading(pages: int, *, size: int = PAGE) -> str:
    """A prompt that makes the model read so many pages, one a turn."""
    given = "" if size == PAGE else f', "size": {size}'
    return " ".join(f'[[call read_page {{"page": {number}{given}}}]]' for number in range(1, pages + 1))


@asynccontextmanager
async def library(
    settings: Settings, client: Client, model: ModelPort | None = None, agents: Path = AGENTS
) -> AsyncIterator[SurefootClient]:
    """A worker that serves the profiles of long runs."""
    found = settings.model_copy(update={"agents_dir": agents})
    tools = (read_page, create_order, send_email)
    async with composed(found, client, designs=tools, scripted=model or ScriptedModel()) as worker, worker:
        yield SurefootClient(client, task_queue=settings.task_queue)
