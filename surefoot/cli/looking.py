"""Looking at runs: lists, one run's state, cancelling."""

from datetime import timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from surefoot.cli.calling import call
from surefoot.cli.output import Answer, remark, table, words
from surefoot.cli.plain import fields, one_line, public, when
from surefoot.cli.watching import again
from surefoot.client import RunView, SurefootClient
from surefoot.client.links import link
from surefoot.contracts.base import Message
from surefoot.contracts.runs import RunProgress, RunStatus
from surefoot.errors import Unreachable
from surefoot.idempotency import workflow_id
from surefoot.incidents.evidence import TemporalEvidence
from surefoot.settings import Settings

GLANCE = timedelta(seconds=2)
"""Whoever looks at a run sees what Temporal knows when its worker has not answered by then."""


def run_id(run: str, tenant: str) -> str:
    """The workflow id of a run that is named by it or by its key."""
    return run if run.startswith("run:") and run.count(":") > 1 else workflow_id(tenant, run)


async def runs(
    client: SurefootClient,
    *,
    status: str | None,
    profile: str | None,
    session: str | None,
    tenant: str | None,
    limit: int,
) -> Answer:
    wanted = RunStatus(status) if status else None
    found = await client.runs(status=wanted, profile=profile, session=session, tenant=tenant, limit=limit)
    rows = [
        (view.run, stands(view), view.profile, view.session, when(view.started_at), when(view.ended_at))
        for view in found
    ]
    headings = ("Run", "Status", "Profile", "Session", "Started", "Ended")
    return Answer({"runs": public(found)}, [table(headings, rows, empty="no such runs")])


def stands(view: RunView) -> str:
    return f"{view.status}, waits for {view.waiting}" if view.waiting else view.status.value


class _Standing(Message):
    """A run as Temporal records it, and as it tells itself if a worker answers."""

    view: RunView
    progress: RunProgress | None
    silence: str | None = None


async def status(settings: Settings, run: str) -> Answer:
    client = await call(settings, answer_within=GLANCE)
    view = await client.describe(run)
    try:
        standing = _Standing(view=view, progress=await client.progress(run))
    except Unreachable as error:
        standing = _Standing(view=view, progress=None, silence=str(error))
    where = link(settings, client.temporal.namespace, run)
    document = fields(view) | {"progress": public(standing.progress), "link": where}
    return Answer(document, [_facts(standing), *_steps(standing), *([remark(where)] if where else [])])


def _retried(view: RunView) -> str:
    return f"by {view.retried.by}: {view.retried.reason}" if view.retried else ""


def _facts(standing: _Standing) -> RenderableType:
    view, progress = standing.view, standing.progress
    facts = {
        "Run": view.run,
        "Status": stands(view),
        "Profile": view.profile,
        "Session": view.session,
        "Tenant": view.tenant,
        "Started": when(view.started_at),
        "Ended": when(view.ended_at),
        "Retried": _retried(view),
    }
    if progress:
        usage = progress.result.usage
        facts |= {
            "Doing": f"{progress.phase}, turn {progress.turn}",
            "Model": progress.model or "",
            "Spent": f"${usage.cost} for {usage.input_tokens} + {usage.output_tokens} tokens",
        }
    return Group(*(Text(f"{name:<9}{one_line(value)}") for name, value in facts.items() if value))


def _steps(standing: _Standing) -> list[RenderableType]:
    return [*_done(standing), *(remark(one_line(again(retry))) for retry in standing.view.retrying)]


def _done(standing: _Standing) -> list[RenderableType]:
    if standing.progress is None:
        return [remark(f"What it is doing is not known: {standing.silence}")]
    return [words(f"  {when(step.at)}  turn {step.turn}: {one_line(step.what)}") for step in standing.progress.steps]


async def history(settings: Settings, run: str) -> Answer:
    """The first and the newest entries, without secrets; the whole is in Temporal's web UI."""
    client = await call(settings)
    view, evidence = await client.describe(run), await TemporalEvidence(client.temporal).of_run(run)
    where = link(settings, client.temporal.namespace, run)
    document = {"run": run, "retried": public(view.retried), **fields(evidence), "link": where}
    told = [words(f"{when(entry.at)}  {one_line(entry.what)}") for entry in evidence.timeline]
    again = [words(f"{when(view.started_at)}  retried {one_line(_retried(view))}")] if view.retried else []
    return Answer(document, [*again, *told], [remark(where)] if where else [])


async def cancel(client: SurefootClient, run: str) -> Answer:
    await client.cancel(run)
    said = f"{run} was asked to stop; `./starter.py status {run}` tells when it has"
    return Answer({"run": run, "cancelRequested": True}, [words(said)])
