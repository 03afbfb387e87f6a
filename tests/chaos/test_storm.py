"""A small storm, and a Redis that is wiped in the middle of one."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from surefoot.contracts.incidents import Incident, IncidentKind
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.faults import Fault, FaultKind
from tests.chaos.evidence import gathered
from tests.chaos.gale import Gale
from tests.chaos.plan import planned
from tests.chaos.promises import judged, judged_without_redis
from tests.chaos.stage import Stage
from tests.support.waiting import until

RUNS = 40
SEED = 1
HEARTBEAT = timedelta(seconds=2)


class Silence:
    """Watches, and tells nobody."""

    def struck(self, what: str) -> None:
        pass

    def ended(self, runs: int, of: int) -> None:
        pass


@pytest.mark.timeout(180)
async def test_every_promise_holds_in_a_storm(simulator: SimulatorClient, tmp_path: Path) -> None:
    storm = planned(SEED, RUNS, pause=4, kill_every=3)
    async with Stage.set(tmp_path, simulator, workers=2, heartbeat=HEARTBEAT) as stage:
        log = await Gale(storm, stage, Silence()).blow()
        seen = await gathered(stage, log)
        findings = judged(log, seen)

    assert stage.killed
    assert {effect.target for effect in seen.effects} >= {"orders", "refunds"}
    assert [finding for finding in findings if not finding.held] == []


async def test_runs_outlive_a_wiped_redis_which_is_told_and_makes_no_deed_happen_twice(
    simulator: SimulatorClient, tmp_path: Path
) -> None:
    calm = planned(SEED, RUNS // 2, pause=2, kill_every=100)
    lost = [
        Fault(target=target, operation=operation, kind=FaultKind.APPLY_THEN_LOSE, count=2)
        for target, operation in (("refunds", "issue_refund"), ("orders", "create_order"), ("returns", "start_return"))
    ]
    async with Stage.set(tmp_path, simulator, workers=1, heartbeat=HEARTBEAT) as stage, asyncio.TaskGroup() as tasks:
        gale = tasks.create_task(Gale(replace(calm, strikes=(), faults=tuple(lost)), stage, Silence()).blow())
        await until(lambda: _at_least(simulator, "refunds", 2))
        await stage.wipe_redis()
        log = await gale
        seen = await gathered(stage, log)

    kinds = {incident.report.kind for incident in seen.incidents.values() if isinstance(incident, Incident)}
    assert [finding for finding in judged_without_redis(log, seen) if not finding.held] == []
    assert IncidentKind.STORE_WIPED in kinds


async def _at_least(simulator: SimulatorClient, target: str, count: int) -> bool:
    return len(await simulator.effects(target)) >= count
