"""What ``starter.py up`` does: run the embedded stack until it is told to end."""

import asyncio
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from surefoot.embedded.python import starter
from surefoot.embedded.stack import WORKER_GRACE, Stack
from surefoot.settings import given, load

QUESTION = "Where is my order A-1003?"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Say = Callable[[str], None]


async def up(*, folder: Path | None = None, workers: int = 1, say: Say = print) -> None:
    """Start the stack with so many workers, say where everything is, and stay until SIGINT, SIGTERM or SIGHUP.

    A second signal ends everything without grace. A worker that dies is reported and replaced; if it does not come
    up, or a server dies, everything ends and ``ChildDied`` is raised. Raises ``InvalidInput`` for wrong settings and
    where a stack runs in the folder already.
    """
    known = load(REDIS_URL=given().get("REDIS_URL", "redis://127.0.0.1"))  # any address will do: only the rest counts
    stack = Stack(folder or known.state_dir)
    await until_told_to_end(_run(stack, workers, say), again=stack.kill)
    say("Ended. What was done is kept in the state folder.")


async def until_told_to_end(work: Awaitable[None], *, again: Callable[[], None]) -> bool:
    """Do the work until it ends by itself, or cancel it at a signal; each further signal calls ``again``.

    Says whether it was told to end.
    """
    task = asyncio.ensure_future(work)
    told = asyncio.Event()

    def end() -> None:
        if told.is_set():
            again()
        else:
            told.set()
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, end)
    try:
        await asyncio.wait([task])
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    if not (task.cancelled() and told.is_set()):
        await task
    return told.is_set()


async def _run(stack: Stack, workers: int, say: Say) -> None:
    async with stack, _farewell(stack, say):
        await asyncio.gather(*(stack.start_worker() for _ in range(workers)))
        say(_welcome(stack))
        while True:
            death = await stack.watch()
            if death.child in stack.servers:
                say(f"{death.told}.")
                raise death
            say(f"{death}\nStarting another one.")
            worker = await stack.start_worker()
            say(f"{worker.name.capitalize()} is ready, as process {worker.pid}.")


@asynccontextmanager
async def _farewell(stack: Stack, say: Say) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if stack.workers:
            seconds = WORKER_GRACE.total_seconds()
            say(f"Ending; calls in flight have {seconds:.0f} s, unless you ask a second time ...")


def _welcome(stack: Stack) -> str:
    """Where everything is, and what to type next."""
    known = stack.addresses
    rows = {
        "Temporal": known["TEMPORAL_ADDRESS"],
        "Temporal UI": known.get("SUREFOOT_TEMPORAL_UI", "elsewhere"),
        "Redis": _without_password(known["REDIS_URL"]),
        "Simulator": stack.simulator_url or "not needed",
        "Workers": ", ".join(f"process {worker.pid}" for worker in stack.workers) or "none",
        "State, logs": str(stack.folder),
    }
    lines = [f"  {name:<13}{value}" for name, value in rows.items()]
    return "\n".join(["Surefoot is up.", *lines, *_next_steps(stack), "Ctrl-C ends it and keeps its state."])


def _next_steps(stack: Stack) -> list[str]:
    worker = [] if stack.workers else [f"{shlex.quote(sys.executable)} worker.py  # runs wait for one"]
    ask = f"./starter.py run '{QUESTION}' --profile support --follow"
    steps = [*starter(stack.folder), *worker, "./starter.py doctor", ask]
    return ["In another terminal:", *(f"  {step}" for step in steps)]


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
