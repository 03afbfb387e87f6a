"""Running the embedded stack, and the demo on one of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from surefoot.cli.acting import report
from surefoot.cli.exits import ExitCode
from surefoot.cli.output import complain, console, remark, show
from surefoot.embedded.processes import ChildDied
from surefoot.embedded.up import up as stay_up
from surefoot.errors import SurefootError


def up(workers: int, folder: Path | None) -> int:
    """Returns the exit code: being told to end is no failure."""

    def host() -> int:
        asyncio.run(stay_up(folder=folder, workers=workers))
        return ExitCode.DONE

    return _hosted(host)


def demo(*, keep: bool) -> int:
    from surefoot.demo import play

    return _hosted(lambda: play(keep=keep))


def _hosted(host: Callable[[], int]) -> int:
    try:
        return host()
    except ChildDied as death:
        return _buried(death)
    except SurefootError as error:
        return report(error, as_json=False)


def _buried(death: ChildDied) -> int:
    """Tell which process died, with the end of its log as it stands there."""
    complain(f"{death.told}, so everything was ended", type(death).__name__, ExitCode.UNREACHABLE, as_json=False)
    for line in str(death).splitlines()[1:]:
        show(console(stderr=True), remark(line))
    return ExitCode.UNREACHABLE
