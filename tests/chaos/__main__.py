"""`python -m tests.chaos [SEED] [RUNS]`: a storm over a stack of its own. Exit code 1 if a promise was broken."""

import asyncio
import os
import random
import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from surefoot.embedded.lending import NO_TEMPORAL_CONFIG
from surefoot.embedded.simulator import start_simulator
from surefoot.simulator.client import SimulatorClient
from tests.chaos.evidence import gathered
from tests.chaos.gale import Gale
from tests.chaos.plan import Storm, planned
from tests.chaos.promises import Finding, judged
from tests.chaos.stage import Stage
from tests.chaos.telling import table, teller

WORKERS = 4
PAUSE = 8.0
"""Seconds between waves: about what four workers on two cores can serve while they are killed."""
KILL_EVERY = 6.0
RUNS = 500
HEARTBEAT = timedelta(seconds=5)


async def weathered(storm: Storm, folder: Path, console: Console) -> list[Finding]:
    """Let the storm loose on a new stack in the folder, and judge what it left."""
    simulator = await start_simulator(log=folder / "simulator.log")
    try:
        async with (
            SimulatorClient(simulator.url, "storm") as world,
            Stage.set(folder, world, workers=WORKERS, heartbeat=HEARTBEAT) as stage,
        ):
            with teller(console, len(storm.errands)) as told:
                log = await Gale(storm, stage, told).blow()
            console.print(f"{stage.killed} workers killed, {len(log.blows)} blows in all; reading what is left")
            return judged(log, await gathered(stage, log))
    finally:
        await simulator.child.stop()


def main() -> None:
    console = Console(width=None if sys.stdout.isatty() else 150)
    seed, runs = (int(word) if word else None for word in (*sys.argv[1:3], "", "")[:2])
    storm = planned(
        random.randrange(10_000) if seed is None else seed, runs or RUNS, pause=PAUSE, kill_every=KILL_EVERY
    )
    console.print(
        f"Storm {storm.seed}: {len(storm.errands)} runs over {WORKERS} workers, blows for {storm.length:.0f} s."
        f" SEED={storm.seed} repeats its faults.",
        highlight=False,
    )
    os.environ.update(NO_TEMPORAL_CONFIG)
    folder = Path(tempfile.mkdtemp(prefix="surefoot-storm-"))
    findings = asyncio.run(weathered(storm, folder, console))
    broken = [finding for finding in findings if not finding.held]
    console.print(table(findings))
    for finding in broken:
        console.print(f"{finding.promise}:", *finding.breaches[:10], sep="\n  ", highlight=False, markup=False)
    if broken:
        console.print(f"SEED={storm.seed}; the logs are in {folder}", highlight=False)
    else:
        shutil.rmtree(folder)
    sys.stdout.flush()
    os._exit(1 if broken else 0)  # a Temporal client can abort at interpreter exit: temporalio/sdk-python#300


if __name__ == "__main__":
    main()
