"""Keeps what is written of an incident in a folder as well, if there is one."""

import asyncio
from collections.abc import Mapping

from surefoot.incidents.shelf import Shelf


async def kept(shelf: Shelf | None, incident_id: str, texts: Mapping[str, str]) -> tuple[str, ...]:
    """What could not be kept, and why: the incident tells it, and goes on."""
    if shelf is None:
        return ()
    try:
        await asyncio.to_thread(shelf.keep, incident_id, texts)
    except OSError as error:
        return (f"{error.filename or 'the folder that SUREFOOT_RUNBOOK_DIR names'}: {error.strerror or error}",)
    return ()
