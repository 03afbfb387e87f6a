"""The histories of one run, which goes on in a new one when the last is long."""

from collections.abc import AsyncIterator
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

MOST = 100
"""Histories of one run that are looked at."""


async def executions(
    client: Client,
    run: str,
    newest: str,
    most: int = MOST,
) -> AsyncIterator[WorkflowHandle[Any, Any]]:  # whatever the workflow returns
    """A handle for each history, the newest first, back to what Temporal remembers.

    Raises what Temporal's client raises of the newest.
    """
    execution = newest
    while execution and most:
        handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(run, run_id=execution)
        try:
            begun = await anext(aiter(handle.fetch_history_events(page_size=1)))
        except RPCError as error:
            if execution == newest or error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return
        yield handle
        execution, most = begun.workflow_execution_started_event_attributes.continued_execution_run_id, most - 1
