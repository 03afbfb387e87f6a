"""Real worker processes for one test's task queue."""

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from surefoot.embedded.lending import without_settings
from surefoot.embedded.processes import Child
from surefoot.embedded.worker import start_worker
from surefoot.settings import Settings, variables

_NUMBERS = itertools.count(1)


def as_variables(settings: Settings) -> dict[str, str]:
    """The environment variables that give these settings."""
    given = settings.model_dump(mode="json", by_alias=True, exclude_none=True)
    for name, field in settings:
        alias = Settings.model_fields[name].alias or name
        if isinstance(field, SecretStr):
            given[alias] = field.get_secret_value()
    return {name: str(given[name]) for name in variables() if name in given}


@asynccontextmanager
async def worker_process(settings: Settings, **more: str) -> AsyncIterator[Child]:
    """A running ``worker.py`` with these settings and more variables; ``kill()`` ends it as a crash would.

    The end of its log is added to whatever the block raises.
    """
    number = next(_NUMBERS)
    environment = {**without_settings(os.environ), **as_variables(settings), **more}
    log = settings.state_dir / f"worker-{number}.log"
    worker = await start_worker(f"worker {number}", log=log, variables=environment)
    try:
        yield worker
    except BaseException as error:
        error.add_note(worker.last_lines())
        raise
    finally:
        await worker.stop()
