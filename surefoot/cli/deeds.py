"""What an operator does: who and why, repeated once under the same id when the reply is lost."""

import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from surefoot.contracts.guardrails import Act
from surefoot.errors import StoreUnavailable

A = TypeVar("A")


def act(by: str, reason: str) -> Act:
    """Raises ``ValidationError`` unless it is said who and why."""
    return Act(id=uuid.uuid4().hex, by=by, reason=reason)


async def done(deed: Callable[[], Awaitable[A]]) -> A:
    """Do it under one id; raises ``StoreUnavailable``, which says that it may have been done all the same."""
    try:
        return await deed()
    except StoreUnavailable:
        pass  # it may have arrived: under its id it does nothing twice
    try:
        return await deed()
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{error}; it may have been done all the same, so look before you repeat it") from error
