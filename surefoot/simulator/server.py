"""The HTTP server: uvicorn, with connections that the simulator can reset."""

import asyncio
import logging
import socket
import struct

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

TRANSPORT = "surefoot.transport"
"""Where a request's scope holds the transport of its connection."""


class ResettableProtocol(H11Protocol):
    """HTTP/1.1 whose requests know the connection that they came by."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        app: ASGIApp = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, TRANSPORT: transport}, receive, send)

        self.app = with_transport


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport | None = scope.get(TRANSPORT)  # that of uvloop is none by its class
    if transport is None:
        raise RuntimeError("this fault needs the simulator's own server")
    return transport


def reset(scope: Scope) -> None:
    """End the request's connection with a TCP reset."""
    transport = _transport(scope)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def drop(scope: Scope) -> None:
    """Close the request's connection without an answer."""
    _transport(scope).close()


def serve(app: ASGIApp, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; requests that still hang then are given up at once, without a word in the log."""
    logging.getLogger("uvicorn.error").addFilter(lambda record: not record.getMessage().startswith("Cancel "))
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=ResettableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=0,
        timeout_keep_alive=60,
    )
