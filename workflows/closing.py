"""Closing a run's books: what is held is given back, what is unsettled is booked."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.guardrails import GuardrailActivities
from surefoot.contracts.base import JsonObject
from surefoot.contracts.budgets import Hold
from surefoot.contracts.guardrails import Books
from surefoot.contracts.incidents import IncidentKind
from workflows import guard_news, outages, policies
from workflows.run import Run

RESULTS = {"unsettled": {"__all__": {"content"}}}
"""Of the books: what tools answered is the run's alone, and may be large."""


async def close_books(run: Run, holds: tuple[Hold, ...]) -> None:
    """Within the profile's ``store_wait``; what cannot be booked by then is told to people."""
    books = Books(holds=holds, unsettled=run.state.unsettled)
    if not books.holds and not books.unsettled:
        return
    try:
        closed = await workflow.execute_activity_method(
            GuardrailActivities.close_books,
            books,
            start_to_close_timeout=policies.CLOSE_TIMEOUT,
            schedule_to_close_timeout=run.profile.limits.store_wait,
            retry_policy=policies.CLOSE_RETRY,
            summary="book what is left",
        )
    except ActivityError as error:
        left: JsonObject = {"unsettled": books.model_dump(mode="json", exclude=RESULTS)}
        await run.tell(
            run.report(
                IncidentKind.RUN_FAILED,
                workflow.info().workflow_id,
                f"{workflow.info().run_id}/books",
                f"What the run spent or did could not be booked: {error.cause}.",
                left,
            )
        )
    else:
        await outages.over(run)
        await guard_news.store_seen(run, closed.store)
        await guard_news.transitions(run, closed.transitions)
        await guard_news.crossings(run, closed.crossings)
        await guard_news.drifts(run, closed.drifts)
