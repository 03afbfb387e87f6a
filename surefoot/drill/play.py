"""Plays one drill, and checks each of its steps."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

import httpx2

from surefoot.contracts.incidents import Acknowledgement, Incident, IncidentKind, IncidentState
from surefoot.drill.field import PERSON, Field
from surefoot.drill.score import Score
from surefoot.drill.story import Story, Trouble
from surefoot.errors import SurefootError
from surefoot.incidents.completeness import THRESHOLD
from surefoot.rehearsal import Broken, until
from surefoot.simulator.sinks.alerts import Alert, AlertState

T = TypeVar("T")
Say = Callable[[str], None]
ON_IT = Acknowledgement(by=PERSON, reason="this is a drill")


async def play(kind: IncidentKind, story: Story, field: Field, say: Say) -> Score:
    """Bring the trouble about, acknowledge, mend, and see it end. What is not so is told in the score."""
    drill = _Drill(Score(kind), field, say)
    try:
        await drill.played(story)
    except (SurefootError, httpx2.HTTPError) as error:
        drill.score.broken = str(error) or type(error).__name__
        say(f"{kind}: {drill.score.broken}")
    return drill.score


class _Drill:
    """One drill that is being played."""

    def __init__(self, score: Score, field: Field, say: Say) -> None:
        self.score = score
        self._field = field
        self._say = say

    async def played(self, story: Story) -> None:
        async with aclosing(story(self._field)) as told:
            trouble = await self._within(anext(told), "the trouble")
            incident = await self._opened(trouble)
            await self._paged(incident)
            composed = await self._acknowledged(incident)
            mended_at = datetime.now(UTC)
            with suppress(StopAsyncIteration):
                await self._within(told.asend(composed), "the mending")
                raise Broken("the story goes on after its end")
        self._resolved(await self._over(incident), mended_at)
        await self._told_once(incident)
        await self._alone(trouble)

    async def _opened(self, trouble: Trouble) -> Incident:
        async def listed() -> str | Literal[False]:
            found = await self._field.surefoot.incidents(kind=self.score.kind, subject=trouble.subject)
            return found[0].id if found else False

        id = await self._until(listed, f"an incident about {trouble.subject}")
        incident = await self._until(lambda: self._triaged(id), f"the triage of {id}")
        opened_at = _known(incident.opened_at, "when it opened")
        self.score.incident, self.score.severity = id, incident.severity
        self.score.detected = _between(trouble.since, opened_at)
        self._tell(f"{incident.severity.name} opened", self.score.detected)
        return incident

    async def _triaged(self, id: str) -> Incident | Literal[False]:
        incident = await self._field.surefoot.incident(id)
        return incident if incident.plan else False

    async def _paged(self, incident: Incident) -> None:
        alerts = await self._until(lambda: self._alerts(incident), "a page")
        first = min(alert.triggered_at for alert in alerts)
        self.score.paged = _between(_known(incident.opened_at, "when it opened"), first)
        self._tell("paged", self.score.paged)

    async def _acknowledged(self, incident: Incident) -> Incident:
        """The incident with its runbook, which whoever acknowledges reads next."""
        known = await self._field.surefoot.acknowledge(incident.id, ON_IT)
        since = _known(incident.opened_at, "when it opened")
        self.score.acknowledged = _between(since, _known(known.acknowledged_at, "when it was acknowledged"))
        self._tell("acknowledged", self.score.acknowledged)
        composed = await self._until(lambda: self._composed(incident.id), "its runbook")
        rated = composed.runbook.completeness if composed.runbook else None
        self.score.completeness = rated.score if rated else None
        if rated is None or rated.score < THRESHOLD:
            raise Broken(f"its runbook is not complete: {rated}")
        return composed

    async def _composed(self, id: str) -> Incident | Literal[False]:
        incident = await self._field.surefoot.incident(id)
        return incident if incident.runbook else False

    async def _over(self, incident: Incident) -> Incident:
        """Once it has written its record."""
        handle = self._field.surefoot.temporal.get_workflow_handle(incident.id, result_type=Incident)
        ended: Incident = await self._within(handle.result(), "its resolution")
        return ended

    def _resolved(self, incident: Incident, mended_at: datetime) -> None:
        score, typed = self.score, ", ".join(self._field.typed)
        resolved_at = _known(incident.resolved_at, "when it resolved")
        if resolved_at < mended_at:
            raise Broken(f"it resolved before it was mended: {incident.resolved_why}")
        score.resolved, score.why = _between(mended_at, resolved_at), incident.resolved_why or ""
        score.occurrences = incident.occurrences
        by_itself = "by itself" + (f", after {typed}" if typed else "")
        score.how = f"by a person: {typed}" if incident.resolved_by == PERSON else by_itself
        self._tell(f"resolved {score.how}", score.resolved)
        record = incident.post_incident
        if incident.state is not IncidentState.RESOLVED or record is None or record.paged_after is None:
            raise Broken("it ended without a whole record")

    async def _told_once(self, incident: Incident) -> None:
        """Each channel of the policy was told once that it began, and once that it is over."""
        levels = incident.plan.escalation.levels if incident.plan else ()
        wanted = sorted({channel for level in levels for channel in level.channels})
        alerts = await self._alerts(incident)
        once = [alert for alert in alerts if (alert.state, alert.count, alert.resolves) == (AlertState.RESOLVED, 1, 1)]
        if sorted(alert.target for alert in once) != wanted or len(once) != len(alerts):
            raise Broken(f"not one page and one end for each of {', '.join(wanted)}, but {alerts}")
        self.score.channels = tuple(wanted)

    async def _alone(self, trouble: Trouble) -> None:
        found = await self._field.surefoot.incidents(kind=self.score.kind, subject=trouble.subject)
        if len(found) != 1:
            raise Broken(f"{len(found)} incidents about {trouble.subject}, and not one")

    async def _alerts(self, incident: Incident) -> list[Alert]:
        return [alert for alert in await self._field.shop.alerts() if alert.key == incident.id]

    async def _until(self, ask: Callable[[], Awaitable[T | Literal[False]]], what: str) -> T:
        return await until(ask, what, self._field.patience)

    async def _within(self, step: Awaitable[T], what: str) -> T:
        seconds = self._field.patience.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await step
        except TimeoutError:
            raise Broken(f"waited {seconds:g} s in vain for {what}") from None

    def _tell(self, what: str, length: timedelta) -> None:
        self._say(f"{self.score.kind}: {what} after {length.total_seconds():.2f} s")


def _known(moment: datetime | None, what: str) -> datetime:
    if moment is None:
        raise Broken(f"the incident does not tell {what}")
    return moment


def _between(earlier: datetime, later: datetime) -> timedelta:
    """Clocks of several processes on one machine may differ by a millisecond."""
    return max(later - earlier, timedelta(0))
