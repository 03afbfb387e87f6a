"""What every worker program does: it reads where to serve, says that it is ready, and ends when it is told to.

The standard library and temporalio alone, so that it runs in an environment without Surefoot.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from temporalio.worker import Worker

READY = "ready"
"""Printed when the worker polls."""


def arguments() -> argparse.ArgumentParser:
    """What every program is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True, help="host and port of Temporal")
    parser.add_argument("--queue", required=True, help="the task queue to serve")
    return parser


async def served(worker: Worker) -> None:
    """Poll until SIGTERM or SIGINT, then let what has begun be finished."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with worker:
        print(READY, flush=True)
        await stopped.wait()


def run(serve: Callable[[], Awaitable[None]], loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
    """Serve, on a loop of asyncio's own unless another is given; leave without the interpreter's end, at which a
    Temporal client can abort."""

    async def served() -> None:
        await serve()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(served())
    sys.stdout.flush()
    os._exit(0)
