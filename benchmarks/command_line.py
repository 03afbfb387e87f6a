"""How long the command line takes to show its help, beside an interpreter that imports what it is made of."""

import asyncio
import sys
from collections.abc import Sequence

from benchmarks.report import ROOT, Result
from benchmarks.timing import Spread, timed

HELP = (str(ROOT / "starter.py"), "--help")
LIBRARIES = ("-c", "import typer, rich")
WARM_UP = 2


async def help_shown(times: int) -> list[Result]:
    """Seconds for ``starter.py --help``, and as a multiple of importing typer and rich; the two in turns."""
    taken = [(await _seconds(HELP), await _seconds(LIBRARIES)) for _ in range(WARM_UP + times)][WARM_UP:]
    ours, bare = (Spread.of(column) for column in zip(*taken, strict=True))
    ratio = Spread.of([one / other for one, other in taken])
    return [
        Result("starter.py --help", ours.median, "s", 0.4, spread=ours),
        Result("starter.py --help, beside its libraries", ratio.median, "x import", 2.0, spread=ratio),
        Result("python -c 'import typer, rich'", bare.median, "s", spread=bare),
    ]


async def _seconds(words: Sequence[str]) -> float:
    async def run() -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdout=asyncio.subprocess.DEVNULL, cwd=ROOT
        )
        return await process.wait()

    seconds, code = await timed(run)
    if code:
        raise RuntimeError(f"{' '.join(words)!r} ended with exit code {code!r}")
    return seconds
