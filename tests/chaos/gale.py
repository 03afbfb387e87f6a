"""A storm as it happens: waves of runs, blows on the stack, and the ends of all the runs."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from surefoot.client import Started
from surefoot.contracts.runs import IdempotencyStatus, RunResult, RunUsage
from surefoot.errors import RunFailed, Unreachable
from tests.chaos.plan import PROVIDERS, Blow, Errand, Storm, Strike
from tests.chaos.stage import Stage

THROTTLED_FOR = timedelta(seconds=2)
RETRY_AFTER = timedelta(seconds=1)
AGAIN = 0.3
"""Seconds until a caller that did not reach Temporal asks again."""
BOUND = timedelta(seconds=120)
"""All runs have ended this long after the last blow: twice the longest that a run may take."""


class Teller(Protocol):
    """Who watches a storm."""

    def struck(self, what: str) -> None: ...

    def ended(self, runs: int, of: int) -> None: ...


@dataclass(frozen=True)
class End:
    """How a run ended: with an answer, or with a typed error and the partial result."""

    result: RunResult | None = None
    error: RunFailed | None = None

    @property
    def kind(self) -> str:
        return "completed" if self.error is None else self.error.type

    @property
    def usage(self) -> RunUsage:
        partial = self.error.failure.partial if self.error and self.error.failure else None
        told = self.result or partial
        return told.usage if told else RunUsage()


@dataclass
class Log:
    """What was asked of the stack, and what it answered."""

    accepted: dict[str, Errand] = field(default_factory=dict)
    """By run."""
    twins: list[tuple[Started, Started]] = field(default_factory=list)
    ends: dict[str, End] = field(default_factory=dict)
    blows: list[Blow] = field(default_factory=list)


class Gale:
    """Lets one storm loose on a stage."""

    def __init__(self, storm: Storm, stage: Stage, teller: Teller) -> None:
        self.log = Log()
        self._storm = storm
        self._stage = stage
        self._teller = teller
        self._surefoot = stage.surefoot

    async def blow(self) -> Log:
        """Start the runs, strike the stack, and return once all runs have ended or their time is over."""
        for fault in self._storm.faults:
            lasts = timedelta(seconds=fault.duration) if fault.duration else None
            asked = fault.model_dump(include={"target", "operation", "kind", "status", "count", "rate", "seed"})
            await self._stage.simulator.fault(**asked, duration=lasts)
        try:
            async with asyncio.timeout(self._storm.length + BOUND.total_seconds()), asyncio.TaskGroup() as tasks:
                for strike in self._storm.strikes:
                    tasks.create_task(self._strike(strike))
                for number, wave in enumerate(self._storm.waves):
                    for errand in wave:
                        tasks.create_task(self._run(errand, number * self._storm.pause))
        except TimeoutError:
            self._teller.struck("the time is over, and not every run has ended")
        await self._stage.simulator.clear_faults()
        return self.log

    async def _run(self, errand: Errand, after: float) -> None:
        await asyncio.sleep(after)
        if errand.twice:
            async with self._stage.quiet:
                first, second = await asyncio.gather(self._started(errand), self._started(errand))
            self.log.twins.append((first, second))
        else:
            first = await self._started(errand)
        self.log.accepted[first.run] = errand
        self.log.ends[first.run] = await self._ended(first.run)
        self._teller.ended(len(self.log.ends), len(self._storm.errands))

    async def _started(self, errand: Errand) -> Started:
        while True:
            try:
                return await self._surefoot.start(errand.request)
            except Unreachable:
                await asyncio.sleep(AGAIN)

    async def _ended(self, run: str) -> End:
        while True:
            try:
                return End(result=await self._surefoot.result(run))
            except RunFailed as error:
                return End(error=error)
            except Unreachable:
                await asyncio.sleep(AGAIN)

    async def _strike(self, strike: Strike) -> None:
        await asyncio.sleep(strike.at)
        self._teller.struck(f"{strike.at:6.1f} s  {strike.blow}")
        self.log.blows.append(strike.blow)
        match strike.blow:
            case Blow.KILL_WORKER:
                await self._stage.kill_worker(strike.choice)
            case Blow.RESTART_REDIS:
                await self._stage.restart_redis()
            case Blow.CUT_REDIS:
                await self._stage.cut_redis()
            case Blow.RESTART_TEMPORAL:
                await self._stage.restart_temporal()
            case Blow.THROTTLE:
                provider = PROVIDERS[strike.choice % len(PROVIDERS)]
                await self._stage.simulator.fault(
                    provider, "status", status=429, retry_after=RETRY_AFTER, duration=THROTTLED_FOR
                )


def fresh(started: tuple[Started, ...]) -> int:
    return sum(one.idempotency_status is IdempotencyStatus.FRESH for one in started)
