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

    return hosted(host)


def demo(*, keep: bool) -> int:
    from surefoot.demo import play

    return hosted(lambda: play(keep=keep))


def hosted(host: Callable[[], int], *, as_json: bool = False) -> int:
    """The exit code of what runs on a stack, or of what became of that."""
    try:
        return host()
    except ChildDied as death:
        return _buried(death, as_json=as_json)
    except SurefootError as error:
        return report(error, as_json=as_json)


def _buried(death: ChildDied, *, as_json: bool) -> int:
    """Tell which process died, with the end of its log as it stands there."""
    complain(f"{death.told}, so everything was ended", type(death).__name__, ExitCode.UNREACHABLE, as_json=as_json)
    for line in () if as_json else str(death).splitlines()[1:]:
        show(console(stderr=True), remark(line))
    return ExitCode.UNREACHABLE
