"""Turns the events of a run's history into lines that people can read."""

import json
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pydantic import JsonValue
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import TimeoutType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo

from surefoot.contracts.incidents import TimelineEntry
from surefoot.incidents.markdown import clean, span

HEAD = 10
"""Entries kept from the beginning of a long history."""
TAIL = 50
"""Entries kept from its end."""
WORKERS = 5
"""Workers kept, the newest."""
ERRORS = 10
"""Different errors kept, the newest."""
LINE = 300
"""Characters of one entry."""

_Attributes: TypeAlias = Any
"""One of some forty protobuf messages; which one depends on the event."""

LOCAL_ACTIVITY = "core_local_activity"
"""The marker by which Temporal's SDK core records a local activity."""


class Timeline:
    """Reads events in order. Keeps the first and last entries, so that its size does not follow the history's."""

    def __init__(self) -> None:
        self.attempts = 0
        self._head: list[TimelineEntry] = []
        self._tail: deque[TimelineEntry] = deque(maxlen=TAIL)
        self._count = 0
        self._errors: dict[str, None] = {}
        self._workers: dict[str, None] = {}
        self._names: dict[int, str] = {}

    def read(self, event: HistoryEvent) -> None:
        """Take in one event; most events of the engine's own bookkeeping leave no line."""
        kind = event.WhichOneof("attributes") or ""
        reader = _READERS.get(kind.removesuffix("_event_attributes"))
        what = reader(self, event, getattr(event, kind)) if reader else None
        if what:
            self._add(event.event_time.ToDatetime(tzinfo=UTC), what)

    def read_pending(self, activities: Iterable[PendingActivityInfo]) -> None:
        """Take in the activities under way, whose attempts are not in the history yet."""
        for activity in activities:
            name, attempt = activity.activity_type.name, activity.attempt
            self.attempts = max(self.attempts, attempt)
            after = f", after {self._failure(activity.last_failure)}" if activity.HasField("last_failure") else ""
            at = activity.last_started_time if activity.HasField("last_started_time") else activity.scheduled_time
            self._add(
                at.ToDatetime(tzinfo=UTC),
                f"{name} is under way, attempt {attempt}{after}",
            )

    @property
    def entries(self) -> tuple[TimelineEntry, ...]:
        """The lines, with a note where some were left out."""
        left_out = self._count - len(self._head) - len(self._tail)
        note = [TimelineEntry(at=self._tail[0].at, what=f"{left_out} entries left out")] if left_out else []
        return (*self._head, *note, *self._tail)

    @property
    def errors(self) -> tuple[str, ...]:
        """Different errors, the newest last."""
        return tuple(self._errors)[-ERRORS:]

    @property
    def workers(self) -> tuple[str, ...]:
        """Those that decided for the run, with the builds of their code, the newest last."""
        return tuple(self._workers)[-WORKERS:]

    def _add(self, at: datetime, what: str) -> None:
        self._count += 1
        kept = self._head if len(self._head) < HEAD else self._tail
        kept.append(TimelineEntry(at=at, what=clean(what, LINE)))

    def _failure(self, failure: Failure) -> str:
        text = clean(describe(failure), LINE)
        self._errors.pop(text, None)
        self._errors[text] = None
        if len(self._errors) > ERRORS:
            del self._errors[next(iter(self._errors))]
        return text

    def _begun(self, event: HistoryEvent, attributes: _Attributes) -> str | None:
        self._names.clear()  # events are numbered anew
        if not attributes.continued_execution_run_id:
            return "run started"
        return None if self._count else "run went on from an earlier history, which was not read"

    def _scheduled(self, event: HistoryEvent, attributes: _Attributes) -> str:
        summary = _text(event.user_metadata.summary)
        name = attributes.activity_type.name + (f" ({summary})" if summary else "")
        self._names[event.event_id] = name
        return f"{name} asked for"

    def _started(self, event: HistoryEvent, attributes: _Attributes) -> str | None:
        self.attempts = max(self.attempts, attributes.attempt)
        if attributes.attempt < 2:
            return None
        name = self._names.get(attributes.scheduled_event_id, "activity")
        return f"{name} began attempt {attributes.attempt}, after {self._failure(attributes.last_failure)}"

    def _ended(self, how: str) -> Callable[[_Attributes], str]:
        return lambda attributes: f"{self._names.pop(attributes.scheduled_event_id, 'activity')} {how}"

    def _completed(self, event: HistoryEvent, attributes: _Attributes) -> str:
        return self._ended("done")(attributes)

    def _failed(self, event: HistoryEvent, attributes: _Attributes) -> str:
        return self._ended(f"failed: {self._failure(attributes.failure)}")(attributes)

    def _cancelled(self, event: HistoryEvent, attributes: _Attributes) -> str:
        return self._ended("cancelled")(attributes)

    def _timer(self, event: HistoryEvent, attributes: _Attributes) -> str:
        summary = _text(event.user_metadata.summary)
        self._names[event.event_id] = f"timer ({summary})" if summary else "timer"
        return f"{self._names[event.event_id]} set to {span(attributes.start_to_fire_timeout.ToTimedelta())}"

    def _timer_fired(self, event: HistoryEvent, attributes: _Attributes) -> str:
        return f"{self._names.pop(attributes.started_event_id, 'timer')} ended"

    def _timer_cancelled(self, event: HistoryEvent, attributes: _Attributes) -> str:
        return f"{self._names.pop(attributes.started_event_id, 'timer')} no longer needed"

    def _marker(self, event: HistoryEvent, attributes: _Attributes) -> str | None:
        if attributes.marker_name != LOCAL_ACTIVITY:
            return None
        data = [_decoded(payload) for payload in attributes.details["data"].payloads]
        name = next((item["activity_type"] for item in data if isinstance(item, dict)), "local activity")
        if attributes.HasField("failure"):
            return f"{name} failed: {self._failure(attributes.failure)}"
        return f"{name} done"

    def _run_failed(self, event: HistoryEvent, attributes: _Attributes) -> str:
        return f"run failed: {self._failure(attributes.failure)}"

    def _decided(self, event: HistoryEvent, attributes: _Attributes) -> None:
        build = attributes.deployment_version.build_id or attributes.worker_version.build_id
        worker = clean(attributes.identity, LINE) + (f", build {clean(build, LINE)}" if build else "")
        self._workers.pop(worker, None)
        self._workers[worker] = None
        if len(self._workers) > WORKERS:
            del self._workers[next(iter(self._workers))]

    def _task_failed(self, event: HistoryEvent, attributes: _Attributes) -> str:
        if attributes.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
            return f"begun anew from here: {self._failure(attributes.failure)}"
        return f"workflow task failed: {self._failure(attributes.failure)}"


def describe(failure: Failure) -> str:
    """The innermost cause of a failure, with its type."""
    while failure.HasField("cause"):
        failure = failure.cause
    if failure.HasField("timeout_failure_info"):
        kind = TimeoutType.Name(failure.timeout_failure_info.timeout_type)
        return f"{kind.removeprefix('TIMEOUT_TYPE_').lower().replace('_', ' ')} timeout"
    type = failure.application_failure_info.type
    return f"{type}: {failure.message}" if type else failure.message or "no message"


def _decoded(payload: Payload) -> JsonValue:
    """The payload's JSON, or null where a codec has made it unreadable."""
    encoding = payload.metadata.get("encoding", b"")
    value: JsonValue = json.loads(payload.data) if encoding.startswith(b"json/") else None
    return value


def _text(payload: Payload) -> str:
    return str(_decoded(payload) or "")


_Reader = Callable[[Timeline, HistoryEvent, _Attributes], str | None]

_READERS: dict[str, _Reader] = {
    "workflow_execution_started": Timeline._begun,
    "workflow_execution_completed": lambda line, event, it: "run completed",
    "workflow_execution_failed": Timeline._run_failed,
    "workflow_execution_timed_out": lambda line, event, it: "run timed out",
    "workflow_execution_cancel_requested": lambda line, event, it: "cancellation asked for",
    "workflow_execution_canceled": lambda line, event, it: "run cancelled",
    "workflow_execution_terminated": lambda line, event, it: f"run terminated: {it.reason or 'no reason given'}",
    "workflow_execution_continued_as_new": lambda line, event, it: "run went on in a new history",
    "workflow_execution_signaled": lambda line, event, it: f"signal {it.signal_name} received",
    "workflow_execution_update_accepted": lambda line, event, it: f"update {it.accepted_request.input.name} accepted",
    "workflow_task_completed": Timeline._decided,
    "workflow_task_failed": Timeline._task_failed,
    "workflow_task_timed_out": lambda line, event, it: "workflow task timed out: its worker was lost or too slow",
    "activity_task_scheduled": Timeline._scheduled,
    "activity_task_started": Timeline._started,
    "activity_task_completed": Timeline._completed,
    "activity_task_failed": Timeline._failed,
    "activity_task_timed_out": Timeline._failed,
    "activity_task_canceled": Timeline._cancelled,
    "timer_started": Timeline._timer,
    "timer_fired": Timeline._timer_fired,
    "timer_canceled": Timeline._timer_cancelled,
    "marker_recorded": Timeline._marker,
    "start_child_workflow_execution_initiated": lambda line, event, it: f"told {it.workflow_id}",
    "signal_external_workflow_execution_initiated": lambda line, event, it: (
        f"signalled {it.workflow_execution.workflow_id}"
    ),
}
