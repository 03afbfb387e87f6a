"""Starting again when somebody was faster on a free port."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from surefoot.embedded.processes import ChildDied

T = TypeVar("T")
ATTEMPTS = 5


async def on_free_ports(start: Callable[[], Awaitable[T]]) -> T:
    """Call ``start``, which chooses its ports, until none of them is taken by somebody else in between."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await start()
        except ChildDied as death:
            if "address already in use" not in str(death).lower():
                raise
    return await start()
