"""Running the embedded stack, and the demo on one of its own."""

import asyncio

from surefoot.cli.acting import report
from surefoot.cli.exits import ExitCode
from surefoot.embedded.up import up as stay_up
from surefoot.errors import SurefootError


def up(workers: int) -> int:
    """Returns the exit code: being told to end is no failure."""
    try:
        asyncio.run(stay_up(workers=workers))
    except SurefootError as error:
        return report(error, as_json=False)
    return ExitCode.DONE


def demo(*, keep: bool) -> int:
    from surefoot.demo import play

    try:
        return play(keep=keep)
    except SurefootError as error:
        return report(error, as_json=False)
