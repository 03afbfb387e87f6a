"""What the parts of the client share: the connection, and asking a workflow."""

import asyncio
from datetime import timedelta
from typing import TypeVar

from temporalio.client import Client, WorkflowExecution, WorkflowHandle

from surefoot.client.connection import translated
from surefoot.client.search import Search
from surefoot.contracts.base import Message
from surefoot.errors import InvalidInput, Unreachable

ANSWER_WITHIN = timedelta(seconds=5)
"""For a query: the worker has to be there and may have to replay the run."""
UPDATE_WITHIN = timedelta(seconds=10)
PAGE = 1000
"""Executions that Temporal lists at a time."""

M = TypeVar("M", bound=Message)


class Connected:
    """Holds the connection to Temporal and names the task queue that workers serve."""

    def __init__(self, temporal: Client, *, task_queue: str, answer_within: timedelta = ANSWER_WITHIN) -> None:
        self._temporal = temporal
        self._task_queue = task_queue
        self._answer_within = answer_within

    @property
    def temporal(self) -> Client:
        return self._temporal

    async def _search(self, subject: str, search: Search, limit: int) -> list[WorkflowExecution]:
        """The newest executions that are wanted; raises ``InvalidInput`` for a limit below one."""
        if limit < 1:
            raise InvalidInput(f"limit {limit} must be 1 or more")
        found: list[WorkflowExecution] = []
        with translated(subject):
            async for execution in self._temporal.list_workflows(search.query, page_size=min(limit, PAGE)):
                found += [execution] if search.matches(execution) else []
                if len(found) == limit:
                    break
        return found

    async def _ask(self, subject: str, workflow_id: str, query: str, answer: type[M]) -> M:
        handle = self._temporal.get_workflow_handle(workflow_id)
        with translated(subject):
            told: M = await handle.query(query, result_type=answer, rpc_timeout=self._answer_within)
        return told

    async def _tell(self, subject: str, workflow_id: str, update: str, message: Message, answer: type[M]) -> M:
        """Send an update and return its outcome.

        Raises ``InvalidInput`` when the workflow refuses it, ``Unreachable`` when nobody answers: it may have
        arrived all the same.
        """
        handle: WorkflowHandle[None, None] = self._temporal.get_workflow_handle(workflow_id)
        try:
            with translated(subject):
                async with asyncio.timeout(UPDATE_WITHIN.total_seconds()):
                    told: M = await handle.execute_update(update, message, result_type=answer)
        except TimeoutError:
            raise Unreachable(
                f"{subject}: no worker answered within {UPDATE_WITHIN.total_seconds():g} s; "
                "it may still arrive, so look before you send it again"
            ) from None
        return told
