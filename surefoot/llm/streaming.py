"""What both SDKs share: HTTP clients that never repeat a request, and the limit of a stream's silence."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from typing import TypeVar

import httpx2

from surefoot.llm import errors

_CONNECT = 10.0
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=30)

T = TypeVar("T")


async def _limit_connecting(request: httpx2.Request) -> None:
    """Override what the SDKs set: connecting takes seconds at most, an answer as long as ``watched`` allows."""
    request.extensions["timeout"] = {"connect": _CONNECT, "read": None, "write": None, "pool": None}


class HttpClients:
    """The pair of clients that an SDK wants to be given, with one TLS context."""

    def __init__(self) -> None:
        tls = httpx2.create_ssl_context()
        self.waiting = httpx2.AsyncClient(
            verify=tls, limits=_LIMITS, follow_redirects=False, event_hooks={"request": [_limit_connecting]}
        )
        self.blocking = httpx2.Client(verify=tls)
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
