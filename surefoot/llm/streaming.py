"""What both adapters share: HTTP clients that never repeat a request, and the way from a stream to an answer."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from functools import cached_property
from typing import ClassVar, Generic, Protocol, TypeVar

import httpx2

from surefoot.contracts.models import Generation, Prompt
from surefoot.llm import errors
from surefoot.llm.parts import call_ids
from surefoot.ports import OnText
from surefoot.tls import trusted

_CONNECT = 10.0
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=30)

T = TypeVar("T")
Chunk = TypeVar("Chunk")
Taken = TypeVar("Taken", contravariant=True)


async def _limit_connecting(request: httpx2.Request) -> None:
    """Override what the SDKs set: connecting takes seconds at most, an answer as long as ``watched`` allows."""
    request.extensions["timeout"] = {"connect": _CONNECT, "read": None, "write": None, "pool": None}


class HttpClients:
    """The pair of clients that an SDK wants to be given."""

    def __init__(self) -> None:
        self.waiting = httpx2.AsyncClient(
            verify=trusted(), limits=_LIMITS, follow_redirects=False, event_hooks={"request": [_limit_connecting]}
        )
        self.blocking = httpx2.Client(verify=trusted())
        """Never used; without it an SDK makes one of its own."""

    async def aclose(self) -> None:
        self.blocking.close()
        await self.waiting.aclose()


async def watched(chunks: AsyncIterator[T], *, provider: str, idle_limit: timedelta) -> AsyncGenerator[T]:
    """Pass the chunks on; raises ``ProviderFailure`` when none comes for ``idle_limit``, the first one included."""
    while True:
        try:
            async with asyncio.timeout(idle_limit.total_seconds()):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise errors.silent(provider, idle_limit) from None
        yield chunk


class Answer(Protocol[Taken]):
    """Takes the chunks of one stream in order, and then says what they come to."""

    def add(self, chunk: Taken) -> str:
        """Take a chunk; gives the new words that are meant for the user."""

    def generation(self, taken: set[str]) -> Generation:
        """What was answered; ids of calls differ from those taken."""


class StreamedModel(ABC, Generic[Chunk]):
    """A provider's models over its SDK, as a ``ModelPort``: one request a call, streamed."""

    provider: ClassVar[str]
    """As messages name it."""

    def __init__(self, api_key: str, base_url: str | None = None) -> None:
        self._key = api_key
        self._base_url = base_url

    async def generate(self, prompt: Prompt, *, on_text: OnText, idle_limit: timedelta) -> Generation:
        """Stream an answer; raises ``ProviderFailure``."""
        answer = self._answer()
        stream = watched(self._chunks(prompt), provider=self.provider, idle_limit=idle_limit)
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                if words := answer.add(chunk):
                    await on_text(words)
        return answer.generation(taken=call_ids(prompt.messages))

    async def aclose(self) -> None:
        """Close the connections, if there were any."""
        if "_http" in self.__dict__:
            await self._http.aclose()

    @cached_property
    def _http(self) -> HttpClients:
        return HttpClients()

    @abstractmethod
    def _answer(self) -> Answer[Chunk]: ...

    @abstractmethod
    def _chunks(self, prompt: Prompt) -> AsyncGenerator[Chunk]: ...
