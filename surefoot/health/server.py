"""The worker's HTTP endpoint for probes and dashboards."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from surefoot.errors import InvalidInput
from surefoot.health import examine
from surefoot.ports import GuardOffice
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Store
from surefoot.settings import Settings


class _Server(uvicorn.Server):
    """Leaves signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def application(office: GuardOffice) -> Starlette:
    """``/health/live`` for liveness probes, which asks nobody; ``/health/ready`` and ``/api/health`` ask Redis."""

    async def live(request: Request) -> Response:
        return JSONResponse({"state": "alive"})

    async def ready(request: Request) -> Response:
        report = await examine(office)
        return JSONResponse({"state": "waiting" if report.problem else "ready"}, 503 if report.problem else 200)

    async def health(request: Request) -> Response:
        report = await examine(office)
        return JSONResponse(report.model_dump(mode="json"), report.state.status)

    return Starlette(routes=[Route("/health/live", live), Route("/health/ready", ready), Route("/api/health", health)])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise InvalidInput(
            f"nothing can listen on {host}:{port} ({error}); set SUREFOOT_HEALTH_HOST and SUREFOOT_HEALTH_PORT"
        ) from None
    return listener


@asynccontextmanager
async def served(office: GuardOffice, *, host: str, port: int) -> AsyncIterator[int]:
    """Answer while the block runs; yields the port, which is a free one for 0. Raises ``InvalidInput``."""
    listener = _listening(host, port)
    config = uvicorn.Config(
        application(office), ws="none", lifespan="off", log_config=None, access_log=False, server_header=False
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def probed(settings: Settings) -> AsyncIterator[int | None]:
    """The same with the settings' Redis, if they say where to listen; yields the port."""
    if settings.health_port is None:
        yield None
        return
    store = Store.connect(settings.redis_url.get_secret_value(), timeout=settings.store_timeout)
    try:
        office = RedisOffice(store, settings.key_prefix)
        async with served(office, host=settings.health_host, port=settings.health_port) as port:
            structlog.get_logger().info("answers health probes", host=settings.health_host, port=port)
            yield port
    finally:
        await store.close()
