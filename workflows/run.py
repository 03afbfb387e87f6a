"""What the parts of one run share: its state, its clock, its voice."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from surefoot.contracts.base import JsonObject
from surefoot.contracts.budgets import ScopeStatus
from surefoot.contracts.incidents import IncidentKind, IncidentReport
from surefoot.contracts.profiles import Profile
from surefoot.contracts.runs import Phase, RunFailure, RunRequest, RunStatus, Step
from surefoot.contracts.tools import ToolContract
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.errors import ErrorType, detail, final
from surefoot.idempotency import incident_id
from workflows.reporting import Told, tell
from workflows.state import RunState, Stopwatch
from workflows.unhindered import unhindered

STEPS_KEPT = 200


class Run:
    """One run in progress. Only the workflow that owns it changes it."""

    def __init__(self, request: RunRequest) -> None:
        self.request = request
        self.state = RunState.opened(request.prompt)
        self.clock = Stopwatch(workflow.now())
        self.phase = Phase.STARTING
        self.status = RunStatus.RUNNING
        self.model: str | None = None
        self.steps: list[Step] = []
        self._profile: Profile | None = None

    @property
    def is_pinned(self) -> bool:
        """A run that goes on in a new history keeps its profile."""
        return self._profile is not None

    def resume(self, profile: Profile, state: RunState, clock: Stopwatch, steps: Sequence[Step]) -> None:
        """Go on from where an earlier history ended."""
        self._profile, self.state, self.clock, self.steps = profile, state, clock, list(steps)

    @property
    def profile(self) -> Profile:
        if self._profile is None:
            raise RuntimeError("the profile is not pinned yet")
        return self._profile

    @property
    def original_id(self) -> str:
        """The run id that is in the names of its incidents: after a reset the first one, as what is replayed has it."""
        return workflow.info().original_execution_run_id

    @property
    def transcript(self) -> TranscriptRef:
        """Where what is sent of the run's conversation is kept, and how much of it is."""
        info, condensed = workflow.info(), self.state.condensed
        generation = f"#{condensed.upto}" if condensed else ""  # which is in no workflow id
        key = f"{info.namespace}/{info.workflow_id}{generation}"
        return (self.state.kept or TranscriptRef()).model_copy(update={"key": key})

    def pin(self, profile: Profile) -> None:
        self._profile = profile
        self.note(f"profile {profile.name}: {', '.join(tool.name for tool in profile.tools) or 'no tools'}")

    def offer(self, tools: tuple[ToolContract, ...]) -> None:
        """Let the model have these tools too, from its next call on."""
        new = tuple(tool for tool in tools if self.profile.tool(tool.name) is None)
        if new:
            self._profile = self.profile.model_copy(update={"tools": (*self.profile.tools, *new)})

    def enter(self, phase: Phase) -> None:
        """Show what the run is doing, in the query and in the Temporal UI."""
        self.phase = phase
        usage = self.state.usage
        workflow.set_current_details(
            f"**{phase}**, turn {self.state.turn + 1}, ${usage.cost}\n\n"
            + "\n".join(f"- {step.what}" for step in self.steps[-10:])
        )

    def note(self, what: str) -> None:
        """Remember something that happened, for those who watch."""
        self.steps.append(Step(turn=self.state.turn, what=what, at=workflow.now()))
        del self.steps[:-STEPS_KEPT]

    @property
    def remaining(self) -> timedelta:
        """Time until the deadline; raises what ends the run when there is none left."""
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError  # an activity that ended well all the same has hidden it
        left = self.profile.limits.max_duration - self.clock.elapsed(workflow.now())
        if left <= timedelta(0):
            raise self.end(ErrorType.DEADLINE_EXCEEDED, f"the run took longer than {self.profile.limits.max_duration}")
        return left

    def heed_end(self) -> None:
        """Raise the cancellation or the deadline that has come meanwhile."""
        self.within(timedelta.max)

    def within(self, limit: timedelta) -> timedelta:
        """The limit, or the time until the run's deadline where that is shorter."""
        return min(limit, self.remaining)

    async def sleep(self, wait: timedelta, phase: Phase) -> None:
        """Wait on a durable timer, not past the deadline."""
        self.enter(phase)
        await workflow.sleep(self.within(wait), summary=phase.value)

    def end(self, kind: ErrorType, reason: str, scope: ScopeStatus | None = None) -> ApplicationError:
        """The error that ends the run, with the numbers and what there is of an answer."""
        return final(kind, reason, self._so_far(reason, scope))

    def renewed(self, end: ApplicationError) -> ApplicationError:
        """The same end, foreseen or not, with the incidents and the money of now."""
        failure = detail(end, RunFailure)
        so_far = self._so_far(end.message, failure.scope if failure else None)
        return ApplicationError(end.message, so_far, type=end.type, non_retryable=True)

    def _so_far(self, reason: str, scope: ScopeStatus | None) -> RunFailure:
        return RunFailure(reason=reason, partial=self.state.result(RunStatus.FAILED), scope=scope)

    def report(
        self,
        kind: IncidentKind,
        subject: str,
        episode: str,
        summary: str,
        facts: JsonObject | None = None,
        *,
        tenant: str | None = None,
    ) -> IncidentReport:
        return IncidentReport(
            kind=kind,
            tenant=tenant or self.request.tenant,
            subject=subject,
            episode=episode,
            run_id=workflow.info().workflow_id,
            summary=summary,
            facts=facts or {},
            at=workflow.now(),
        )

    async def tell(self, report: IncidentReport) -> Told | None:
        """Open the incident of this episode, or add an occurrence to it: once a run; None if that was done before."""
        incident = incident_id(report)
        if incident in self.state.incidents:
            return None
        self.state = self.state.model_copy(update={"incidents": (*self.state.incidents, incident)})
        told = await unhindered(tell(report))
        self.note(f"incident {told}: {report.summary}")
        return told
