"""What a run leaves in Temporal: events and bytes, over all the histories that it went on in."""

from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

OF_TASKS = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
    }
)
"""How many of these there are depends on what arrives together; the others are the same each time."""


@dataclass(frozen=True)
class Written:
    """Of one run."""

    events: int
    """Other than workflow-task events."""
    tasks: int
    activities: int
    """Those that were completed."""
    size: int
    """Bytes, as the server counts them."""
    histories: int


async def written(client: Client, id: str) -> Written:
    """Follow the run from its first history to its last."""
    handle = client.get_workflow_handle(id)
    run = (await handle.describe()).raw_description.workflow_execution_info.first_run_id
    events = tasks = activities = size = histories = 0
    while run:
        handle = client.get_workflow_handle(id, run_id=run)
        history = (await handle.fetch_history()).events
        size += (await handle.describe()).raw_description.workflow_execution_info.history_size_bytes
        events += sum(event.event_type not in OF_TASKS for event in history)
        tasks += sum(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in history)
        activities += sum(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED for event in history)
        histories += 1
        run = history[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return Written(events, tasks, activities, size, histories)
